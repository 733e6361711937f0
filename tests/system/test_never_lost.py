"""The test that decides: what was acknowledged is in the database exactly once, whatever is killed meanwhile."""
import os
import random

import never_lost


def test_never_lost(make_daemon, certificates):
    seed = int(os.environ.get("NEVER_LOST_SEED") or random.SystemRandom().randrange(1 << 30))
    seconds = float(os.environ.get("NEVER_LOST_SECONDS") or 45)
    print(f"NEVER_LOST_SEED={seed}")
    # Batches so small that a second connection finds one waiting.
    daemon = make_daemon(sections={"store": {"batch": 50}}).start()
    print(never_lost.run(daemon, certificates, seed, seconds))

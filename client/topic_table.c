#include "config.h"

#include "client/i18n.h"
#include "client/topic.h"

#define END                \
	{                  \
		NULL, NULL \
	}

static const struct topic_step morning[] = {
	{"cirt today", N_("what waits: alarms, clocks, people, feeds, notices")},
	{"cirt inbox", N_("what is new, in groups; one key acts on a whole group")},
	{"cirt clock list --next 3d", N_("what is due")},
	{"cirt notice preview", N_("which mails are about to go to whom, and what is held")},
	{"cirt notice send --all", N_("let them go")},
	END,
};

static const struct topic_step phoned[] = {
	{"cirt search \"+99 555 0101\"", N_("who that is, and what there is of them")},
	{"cirt case open --phone --from \"IT head, +99 555 0101\" --org \"City Hospital\" --class "
	 "unauthorised-information-modification --tag ransomware --severity critical",
		N_("a case; the call is a report of its own")},
	{"cirt report new --phone --from \"A. Citizen\" --class phishing --text \"parcel SMS\"",
		N_("where it deserves no case: a report alone")},
	{"cirt case note 2026-000412 \"ER works on paper\"", N_("what they said since")},
	END,
};

static const struct topic_step bounced[] = {
	{"cirt notice list --state failed", N_("mails that did not arrive")},
	{"cirt notice show N2026-000123", N_("what their server said")},
	{"cirt contact list \"City Hospital\"", N_("whom else there is")},
	{"cirt contact set 12 --email soc@hospital.example", N_("the address mended")},
	{"cirt notice oneshot 202611-123", N_("warn again, to who is reached now")},
	END,
};

static const struct topic_step phishing[] = {
	{"cirt inbox", N_("a wave is one group; l links it to the case of the same kit")},
	{"cirt case open --in-person --class phishing --title \"wave against a bank\"",
		N_("where there is no case yet")},
	{"cirt report link 2026-000409 202611-123", N_("more of it")},
	{"cirt reply 2026-000409 --to imitated", N_("tell the bank, defanged")},
	{"cirt notice oneshot 202611-123", N_("warn the owner of the host now")},
	END,
};

static const struct topic_step ransomware[] = {
	{"cirt case open --phone --org \"City Hospital\" --class unauthorised-information-modification --tag "
	 "ransomware --severity critical",
		N_("its playbook adds tasks and clocks")},
	{"cirt filing new 2026-000412 --regime NIS --stage early-warning",
		N_("the early warning that came; ours is due in 24 h")},
	{"cirt task list --case 2026-000412", N_("what is to be done")},
	{"cirt ask sector:health --question question.txt --until 18:00", N_("who else is hit")},
	{"cirt case brief 2026-000412", N_("one page for those who decide")},
	END,
};

static const struct topic_step released[] = {
	{"cirt tlp ask 202611-123 --note \"the hospital is hit\"", N_("ask its source for a release")},
	{"cirt tlp list", N_("what was asked and not answered")},
	{"cirt tlp grant 202611-123 --form sanitised --evidence 202611-456",
		N_("the answer; what waited goes")},
	END,
};

static const struct topic_step expired[] = {
	{"cirt key list", N_("which keys end when")},
	{"cirt key import hospital.asc", N_("the new one")},
	{"cirt contact set 12 --pgp 44E96BAF54A8D1E10FEC9FD43E5FE42A0AC02F85", N_("it is theirs")},
	{"cirt notice list --state held", N_("what waited for it")},
	END,
};

static const struct topic_step twice[] = {
	{"cirt case merge 2026-000413 2026-000412", N_("two cases are one")},
	{"cirt case split 2026-000413", N_("they are two again, each with its own")},
	{"cirt case split 2026-000412 202611-123 --into 2026-000409", N_("one report belongs elsewhere")},
	{"cirt report unfold 202611-123", N_("two reports were taken for one")},
	END,
};

static const struct topic_step mistake[] = {
	{"cirt undo", N_("take back what you did last")},
	{"cirt undo --list", N_("what may be taken back")},
	END,
};

static const struct topic_step theirs[] = {
	{"cirt org who 198.51.100.7 --at 2026-01-15", N_("whose it was then")},
	{"cirt org set \"City Hospital\" --prefix 198.51.100.0/26",
		N_("mend the register: open reports follow")},
	END,
};

static const struct topic_step wanted[] = {
	{"cirt spam review", N_("what was taken for spam, and why")},
	{"cirt spam rescue 7", N_("it comes in after all")},
	{"cirt spam allow press@paper.example", N_("never spam again")},
	END,
};

static const struct topic_step silent[] = {
	{"cirt alarm list", N_("since when, and how it usually is")},
	{"cirt source show spamhaus-drop", N_("how its last pulls went")},
	{"cirt source pull spamhaus-drop", N_("now")},
	END,
};

static const struct topic_step unread[] = {
	{"cirt quarantine list", N_("what could not be read, and why")},
	{"cirt quarantine show 7", N_("what it is")},
	{"cirt quarantine release 7", N_("run it again")},
	END,
};

static const struct topic_step became[] = {
	{"cirt receipt \"250 2.0.0 queued as 20261122-1f3a55aa-17\"",
		N_("what their server was told, pasted")},
	{"cirt report show 202611-123", N_("where it is, and why it folded")},
	END,
};

static const struct topic_step police[] = {
	{"cirt evidence list --case 2026-000412", N_("what there is, by digest")},
	{"cirt evidence export 2026-000412 --output case-412", N_("a sealed folder; sha256sum -c checks it")},
	END,
};

static const struct topic_step alone[] = {
	{"cirt approve list", N_("what waits for a second person")},
	{"cirt approve give 7", N_("you are the second")},
	END,
};

static const struct topic_step press[] = {
	{"cirt case brief 2026-000412 --lang fr", N_("what is known and what is not, from the journal")},
	END,
};

static const struct topic_step changed[] = {
	{"cirt journal case/2026-000412", N_("who did what to it")},
	{"cirt audit verify", N_("whether anybody touched the journal")},
	END,
};

static const struct topic_step newcomer[] = {
	{"cirt org new \"City Hospital\" --kind hospital --prefix 192.0.2.0/24",
		N_("who it is, and what it holds")},
	{"cirt contact new \"City Hospital\" --email soc@clinic.example --language de",
		N_("whom to tell, and how")},
	{"cirt org import constituents.csv --dry-run",
		N_("many at once, from a file: first see what it would do")},
	END,
};

const struct topic topics[] = {
	{"morning start day duty shift", N_("The day begins"), morning},
	{"someone somebody phoned phone call called telephone hand person", N_("Someone phoned"), phoned},
	{"bounce bounced undelivered mail returned came back", N_("A mail of ours bounced"), bounced},
	{"phishing wave bank kit", N_("A phishing wave"), phishing},
	{"ransomware hospital filing early warning nis statutory",
		N_("Ransomware, or an early warning by law"), ransomware},
	{"tlp release permission amber red restricted source",
		N_("A source must be asked before anybody is told"), released},
	{"key expired pgp smime certificate encrypt", N_("A key has expired"), expired},
	{"merge duplicate twice split same", N_("Two cases are one, or one is two"), twice},
	{"undo mistake wrong", N_("I did the wrong thing"), mistake},
	{"owner whose reassign prefix moved", N_("It is somebody else's network"), theirs},
	{"spam lost mail wanted rescue", N_("A mail that was wanted is spam"), wanted},
	{"feed silent quiet alarm stopped", N_("A feed fell silent"), silent},
	{"quarantine unreadable broken odd", N_("Something could not be read"), unread},
	{"receipt arrived became sender asks", N_("A sender asks what became of it"), became},
	{"police evidence court export seal", N_("The police want the evidence"), police},
	{"night alone two people approve glass", N_("It takes two, and one is alone"), alone},
	{"press minister journalist brief page", N_("The minister wants a page"), press},
	{"who changed journal audit", N_("Who changed that?"), changed},
	{"new constituent organisation member register", N_("A new constituent"), newcomer},
	{NULL, NULL, NULL},
};

#include "intake/session.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"

struct sessions {
	struct map *by_owner;
};

struct session {
	struct sessions *sessions;
	char owner[SESSION_OWNER];
	struct session_holder *holder;
	bool settling; /* the holder has not heard settled() */
	unsigned on_way;
};

struct sessions *sessions_new(void)
{
	struct sessions *sessions = mem_alloc(sizeof(*sessions));

	sessions->by_owner = map_new();
	return sessions;
}

void sessions_free(struct sessions **sessions)
{
	size_t cursor = 0;
	struct str key;
	void *value;

	if (!*sessions)
		return;
	while (map_next_str((*sessions)->by_owner, &cursor, &key, &value))
		free(value);
	map_free(&(*sessions)->by_owner);
	free(*sessions);
	*sessions = NULL;
}

static void session_settle(struct session *session)
{
	if (!session->holder || !session->settling || session->on_way > 0)
		return;
	session->settling = false;
	session->holder->settled(session->holder);
}

static void session_release(struct session *session)
{
	if (session->holder || session->on_way > 0)
		return;
	map_remove_str(session->sessions->by_owner, str_of(session->owner));
	free(session);
}

void session_take(struct sessions *sessions, uint32_t source, const uint8_t uuid[UUID_LEN],
	struct session_holder *holder)
{
	char owner[SESSION_OWNER];
	char text[UUID_TEXT];
	struct session *session;
	struct session_holder *old;

	(void)snprintf(owner, sizeof(owner), "session/%u/%s", source, uuid_format(uuid, text));
	session = map_get_str(sessions->by_owner, str_of(owner));
	if (!session) {
		session = mem_alloc(sizeof(*session));
		session->sessions = sessions;
		memcpy(session->owner, owner, sizeof(owner));
		map_put_str(sessions->by_owner, str_of(owner), session);
	}
	old = session->holder;
	session->holder = holder;
	session->settling = true;
	holder->session = session;
	if (old) {
		old->session = NULL;
		old->taken(old);
	}
	session_settle(session);
}

void session_leave(struct session_holder *holder)
{
	struct session *session = holder->session;

	if (!session)
		return;
	holder->session = NULL;
	session->holder = NULL;
	session_release(session);
}

void session_begin(struct session *session)
{
	session->on_way++;
}

void session_end(struct session *session)
{
	session->on_way--;
	session_settle(session);
	session_release(session);
}

struct str session_owner(const struct session *session)
{
	return str_of(session->owner);
}

#include "config.h"

#include "client/link.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "client/i18n.h"
#include "client/remote.h"

#define ANSWER_MAX (256u << 20)

struct link {
	int fd;                /* -1: `remote` */
	struct remote *remote; /* NULL: a socket of this machine */
	int64_t last_id;
	struct buf in;
	size_t looked; /* bytes of `in` that hold no newline */
	size_t taken;  /* bytes of `in` that the last message was made of */
	struct buf out;
};

static bool open_socket(const char *path, int *fd, struct err *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(address.sun_path))
		return err_set(err, ERR_MALFORMED, _("%s: a socket's path has at most %zu bytes"), path,
			sizeof(address.sun_path) - 1);
	memcpy(address.sun_path, path, strlen(path) + 1);
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*fd < 0)
		return err_errno(err, "socket");
	if (connect(*fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		enum err_code code = errno == EACCES || errno == EPERM ? ERR_DENIED : ERR_NOTFOUND;
		err_set(err, code, "%s: %s", path, strerror(errno));
		fd_close(fd);
		return false;
	}
	return true;
}

bool link_open(const struct place *place, struct link **link, struct err *err)
{
	struct remote *remote = NULL;
	int fd = -1;

	if (place->server ? !remote_open(place, &remote, err) : !open_socket(place->socket, &fd, err))
		return false;
	*link = mem_alloc(sizeof(**link));
	(*link)->fd = fd;
	(*link)->remote = remote;
	return true;
}

void link_close(struct link **link)
{
	if (!*link)
		return;
	fd_close(&(*link)->fd);
	remote_close(&(*link)->remote);
	buf_free(&(*link)->in);
	buf_free(&(*link)->out);
	free(*link);
	*link = NULL;
}

/* A daemon that hangs up may have said why: that is read before anything is complained of. */
static bool send_all(int fd, struct str bytes, struct err *err)
{
	while (bytes.len > 0) {
		ssize_t sent = send(fd, bytes.p, bytes.len, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && (errno == EPIPE || errno == ECONNRESET))
			return true;
		if (sent < 0)
			return err_errno(err, _("writing to the daemon"));
		bytes = (struct str){bytes.p + sent, bytes.len - (size_t)sent};
	}
	return true;
}

static bool flush(struct link *link, struct err *err)
{
	bool ok = link->remote ? remote_write(link->remote, link->out.data, link->out.len, err)
	                       : send_all(link->fd, buf_view(&link->out), err);

	buf_clear(&link->out);
	return ok;
}

int64_t link_ask(struct link *link, const char *method, struct json_object *params, struct err *err)
{
	rpc_write_request(&link->out, ++link->last_id, method, params);
	return flush(link, err) ? link->last_id : -1;
}

bool link_tell(struct link *link, const char *method, struct json_object *params, struct err *err)
{
	rpc_write_notification(&link->out, method, params);
	return flush(link, err);
}

bool link_waiting(struct link *link)
{
	struct pollfd poll_fd = {.fd = link->fd, .events = POLLIN};

	if (link->taken < link->in.len &&
		memchr(link->in.data + link->taken, '\n', link->in.len - link->taken))
		return true;
	return link->remote ? remote_waiting(link->remote) : poll(&poll_fd, 1, 0) > 0;
}

static bool read_more(struct link *link, struct err *err)
{
	char *space = buf_space(&link->in, 65536);
	ssize_t got;

	do {
		got = link->remote ? remote_read(link->remote, space, 65536, err)
		                   : read(link->fd, space, 65536);
	} while (!link->remote && got < 0 && errno == EINTR);
	if (got < 0 && link->remote)
		return false;
	if (got < 0 && errno != ECONNRESET)
		return err_errno(err, _("reading from the daemon"));
	if (got <= 0)
		return err_set(err, ERR_NOTFOUND, _("the daemon closed the connection"));
	buf_grow(&link->in, (size_t)got);
	return true;
}

bool link_next(struct link *link, struct rpc_message *message, struct err *err)
{
	char *end;
	int code;

	*message = (struct rpc_message){0}; /* to be freed, whatever happens */
	buf_consume(&link->in, link->taken);
	link->taken = link->looked = 0;
	for (;;) {
		end = link->looked < link->in.len
		              ? memchr(link->in.data + link->looked, '\n', link->in.len - link->looked)
		              : NULL;
		if (end)
			break;
		link->looked = link->in.len;
		if (link->in.len > ANSWER_MAX)
			return err_set(err, ERR_NOSPACE, _("the daemon's answer is too long"));
		if (!read_more(link, err))
			return false;
	}
	struct str line = {link->in.data, (size_t)(end - link->in.data)};
	link->taken = line.len + 1;
	return rpc_read(line, message, &code, err) || err_prefix(err, _("the daemon's answer"));
}

bool link_call(struct link *link, const char *method, struct json_object *params, link_notify_fn *notify,
	void *context, struct rpc_message *answer, struct err *err)
{
	int64_t id = link_ask(link, method, params, err);

	if (id < 0)
		return false;
	for (;;) {
		if (!link_next(link, answer, err)) {
			rpc_free(answer);
			return false;
		}
		bool answers = answer->kind == RPC_RESULT || answer->kind == RPC_ERROR;
		/* An error without an id: our line could not be read, and nothing else will come. */
		if (answers && (json_object_get_int64(answer->id) == id || !answer->id))
			return true;
		if (!answers && notify)
			notify(answer, context);
		rpc_free(answer);
	}
}

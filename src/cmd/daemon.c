/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dmuse daemon: options, sockets passed in by systemd, and whether it gets a keeper. The daemon's log is the file `log`
 * beside its socket, which is kept when it ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "base/keep.h"
#include "base/log.h"
#include "cmd/background.h"
#include "cmd/job.h"
#include "cmd/keeper.h"
#include "cmd/paths.h"
#include "cmd/say.h"
#include "cmd/serve.h"
#include "cmd/state_dir.h"
#include "core/world.h"

#define DAEMON_BUSY_POLL 50	/* microseconds */
/* Without these, another daemon would still be like the one before it. */
static const uint8_t daemon_places[] = { OPT_socket, OPT_foreground, OPT_tables, OPT_state, OPT_ephemeral, OPTION_END };

struct daemon {
	struct serve_opts o;
	char control[PATHS_MAX], nbd[PATHS_MAX], log[PATHS_MAX];
	char *tables, *tls_certs, *tls_psk, *state_dir, *state;
	struct text options;	/* as words */
	bool ephemeral;
	unsigned restart;	/* seconds that the daemon has to come back; 0: nobody starts it again */
	struct background back;
	bool served;		/* the first daemon, as its keeper knows */
	struct handover handed;
	int directory;		/* where it was started */
};

static void daemon_free(struct daemon *d)
{
	free(d->tables);
	free(d->tls_certs);
	free(d->tls_psk);
	free(d->state_dir);
	free(d->state);
	text_free(&d->options);
}

/* The value of an option that is a path: made absolute, because the daemon changes its directory. */
static int daemon_path(struct job *j, enum option_id id, char **out, struct err *e)
{
	if (!j->o.given[id])
		return 0;
	*out = paths_absolute(j->o.value[id], e);
	return *out ? 0 : e->code;
}

static int daemon_socket_path(char path[PATHS_MAX], struct err *e)
{
	char *absolute = paths_absolute(path, e);
	int r = 0;

	if (!absolute)
		return e->code;
	if (strlen(absolute) >= PATHS_MAX)
		r = err_set(e, -ENAMETOOLONG, "%s is too long for a socket: the limit is %d bytes", absolute, PATHS_MAX - 1);
	else
		strcpy(path, absolute);
	free(absolute);
	return r;
}

static int daemon_nbd_path(struct job *j, struct daemon *d, struct err *e)
{
	const char *given = j->o.value[OPT_nbd_socket];

	if (!given)
		return paths_beside(d->nbd, d->control, "nbd", e);
	if (strlen(given) >= PATHS_MAX)
		return err_set(e, -ENAMETOOLONG, "%s is too long for a socket", given);
	strcpy(d->nbd, given);
	return strcmp(given, "none") ? daemon_socket_path(d->nbd, e) : 0;
}

static int daemon_paths(struct job *j, struct daemon *d, struct err *e)
{
	int r = paths_control(d->control, j->o.value[OPT_socket], e);

	if (!r)
		r = daemon_socket_path(d->control, e);
	if (!r)
		r = paths_beside(d->log, d->control, "log", e);
	if (!r)
		r = daemon_nbd_path(j, d, e);
	if (!r)
		r = daemon_path(j, OPT_state, &d->state_dir, e);
	if (!r)
		r = daemon_path(j, OPT_tables, &d->tables, e);
	if (!r)
		r = daemon_path(j, OPT_tls_certificates, &d->tls_certs, e);
	if (!r)
		r = daemon_path(j, OPT_tls_psk, &d->tls_psk, e);
	return r;
}

static int daemon_words(struct job *j, struct daemon *d, struct err *e)
{
	static const char *const engines[] = { "auto", "uring", "pool", NULL };
	static const char *const levels[] = { "error", "warn", "info", "debug", NULL };
	static const enum log_level level_of[] = { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
	int engine = options_word(&j->o, OPT_engine, engines, 0, e), level = options_word(&j->o, OPT_log_level, levels, 2, e);
	uint64_t threads = 0, poll = DAEMON_BUSY_POLL, timeout = SERVE_STOP_TIMEOUT, open = DM_OPEN_TIMEOUT;
	int r = options_number(&j->o, OPT_io_threads, 1024, &threads, e);

	if (!r)
		r = options_number(&j->o, OPT_busy_poll, 1000000, &poll, e);
	if (!r)
		r = options_number(&j->o, OPT_stop_timeout, SERVE_STOP_TIMEOUT_MAX, &timeout, e);
	if (!r)
		r = options_number(&j->o, OPT_open_timeout, SERVE_OPEN_TIMEOUT_MAX, &open, e);
	if (!r)
		r = keeper_wanted(&j->o, &d->restart, e);
	if (engine < 0 || level < 0 || r)
		return -EINVAL;
	d->o.engine = (enum aio_engine)engine;
	d->o.io_threads = (unsigned)threads;
	d->o.busy_poll = (unsigned)poll;
	d->o.stop_timeout = (unsigned)timeout;
	d->o.open_timeout = (unsigned)open;
	log_set_level(level_of[level]);
	return 0;
}

static int daemon_limits(struct job *j, struct daemon *d, struct err *e)
{
	const uint64_t least = NBD_MEMORY_LEAST >> 20;
	uint64_t memory = NBD_MEMORY >> 20, connections = NBD_CONNECTIONS, seconds = NBD_HANDSHAKE;
	int r = options_number(&j->o, OPT_nbd_memory, 1 << 20, &memory, e);

	if (!r)
		r = options_number(&j->o, OPT_nbd_connections, 1 << 20, &connections, e);
	if (!r)
		r = options_number(&j->o, OPT_handshake_timeout, 86400, &seconds, e);
	if (!r && memory < least)
		r = err_set(e, -EINVAL, "--nbd-memory %s: must be at least %u MiB, for two requests of the maximum "
			    "size", j->o.value[OPT_nbd_memory],
			    (unsigned)least);
	if (!r && !connections)
		r = err_set(e, -EINVAL, "--nbd-connections 0: must be at least 1; --nbd-socket none disables NBD");
	if (r)
		return r;
	d->o.nbd.memory = (size_t)memory << 20;
	d->o.nbd.connections = (unsigned)connections;
	d->o.nbd.handshake = d->o.control.handshake = (unsigned)seconds;
	return 0;
}

static int daemon_options(struct job *j, struct daemon *d, struct err *e)
{
	int r = daemon_words(j, d, e);

	if (!r)
		r = daemon_paths(j, d, e);
	if (!r && j->o.given[OPT_tls_verify_peer] && !d->tls_certs)
		r = err_set(e, -EINVAL, "--tls-verify-peer needs --tls-certificates DIR");
	if (!r && d->state_dir && j->o.given[OPT_ephemeral])
		r = err_set(e, -EINVAL, "--state DIR keeps the state of the devices and --ephemeral does not: only one of them is possible");
	if (r)
		return r;
	d->o.control = (struct control_opts){ .path = d->control, .fd = -1, .allow_read = j->o.given[OPT_allow_read] };
	d->o.nbd = (struct nbd_opts){
		.unix_path = strcmp(d->nbd, "none") ? d->nbd : NULL, .unix_fd = -1, .tcp = j->o.value[OPT_nbd_tcp],
		.tls_certs = d->tls_certs, .tls_psk = d->tls_psk, .tls_verify = j->o.given[OPT_tls_verify_peer],
		.insecure = j->o.given[OPT_insecure],
	};
	d->o.options = options_words(&j->o, daemon_places, &d->options);
	d->o.nbd_wanted = d->o.nbd.unix_path || d->o.nbd.tcp;
	d->o.tables = d->tables;
	d->ephemeral = j->o.given[OPT_ephemeral];
	d->o.life = -1;
	return daemon_limits(j, d, e);
}

/* The path of a Unix socket that was passed in, from which addresses are made. */
static int daemon_fd_path(int fd, char path[PATHS_MAX], struct err *e)
{
	struct sockaddr_un a = { 0 };
	socklen_t len = sizeof(a);

	if (sd_is_socket_unix(fd, SOCK_STREAM, 1, NULL, 0) <= 0 || getsockname(fd, (struct sockaddr *)&a, &len))
		return err_set(e, -EINVAL, "descriptor %d from socket activation is not a listening Unix socket", fd);
	snprintf(path, PATHS_MAX, "%.*s", PATHS_MAX - 1, a.sun_path);
	return 0;
}

/* A socket that was passed in is identified by its name (FileDescriptorName=), or else by the last part of its path. */
static int daemon_take_fd(struct daemon *d, int fd, const char *name, struct err *e)
{
	char path[PATHS_MAX];
	const char *slash;
	int r = daemon_fd_path(fd, path, e);

	if (r)
		return r;
	slash = strrchr(path, '/');
	if (strcmp(name, "control") && strcmp(name, "nbd") && slash)
		name = slash + 1;
	fcntl(fd, F_SETFL, O_NONBLOCK);
	if (!strcmp(name, "control")) {
		d->o.control.fd = fd;
		strcpy(d->control, path);
		return paths_beside(d->log, d->control, "log", e);
	} else if (!strcmp(name, "nbd")) {
		d->o.nbd.unix_fd = fd;
		d->o.nbd.unix_path = strcpy(d->nbd, path);
		d->o.nbd_wanted = true;
	} else {
		return err_set(e, -EINVAL, "unknown name of socket %s from socket activation: '%s'; must be "
			       "control or nbd", path, name);
	}
	return 0;
}

/* Socket activation: the sockets were listening before we were started. */
static int daemon_passed(void *arg, int fd, const char *name, struct err *e)
{
	int r = daemon_take_fd(arg, fd, name, e);

	if (r)
		close(fd);
	return r;
}

/* In each daemon, as soon as it serves. */
static void daemon_ready(void *arg)
{
	struct daemon *d = arg;
	const char *nbd = d->o.nbd.unix_path ? d->o.nbd.unix_path : d->o.nbd.tcp;

	background_served(&d->back);
	log_info("serving %s%s%s", d->control, nbd ? " and " : "", nbd ? nbd : "");
}

static char *daemon_state_beside(const struct daemon *d, struct err *e)
{
	char path[PATHS_MAX];
	char *copy = paths_beside(path, d->control, STATE_FILE, e) ? NULL : strdup(path);

	if (!copy && !e->code)
		err_set(e, -ENOMEM, "no memory for a path");
	return copy;
}

/* Where the state of the devices is kept. */
static int daemon_state(struct daemon *d, struct err *e)
{
	if (d->ephemeral)
		return 0;
	d->state = d->state_dir ? state_dir_file(d->state_dir, e) : daemon_state_beside(d, e);
	d->o.state = d->state;
	d->o.durable = d->state_dir;
	return d->state ? 0 : e->code;
}

static int daemon_serve(void *arg, const char *death)
{
	struct daemon *d = arg;
	int program = keep_take(HANDOVER_PROGRAM);

	if (program >= 0)
		replace_restart(&d->o.replace, program, death);
	d->o.death = death;
	background_told_by_other(&d->back);
	return serve(&d->o) ? EXIT_FAILED : EXIT_OK;
}

static void daemon_kept_ready(void *arg)
{
	struct daemon *d = arg;

	d->served = true;
	background_served(&d->back);
}

/* Sockets of socket activation are not ours; nor, before the first daemon has served, are any. */
static void daemon_remove(void *arg)
{
	struct daemon *d = arg;
	char lock[PATHS_MAX + sizeof(".lock")];

	if (!d->served)
		return;
	if (d->o.nbd.unix_path && d->o.nbd.unix_fd < 0)
		unlink(d->nbd);
	if (d->o.control.fd >= 0)
		return;
	unlink(d->control);
	snprintf(lock, sizeof(lock), "%s.lock", d->control);
	unlink(lock);
}

/* What an earlier program hands over is as good as what socket activation passes. */
static int daemon_handed(struct daemon *d, struct err *e)
{
	int r = 0;

	d->directory = d->handed.directory >= 0 ? d->handed.directory : open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (d->directory >= 0)
		fcntl(d->directory, F_SETFD, FD_CLOEXEC);
	if (!d->handed.text)
		return 0;
	if (d->handed.background)
		background_is_log();
	d->o.handed = &d->handed;
	d->o.death = *d->handed.death ? d->handed.death : NULL;
	if (d->handed.control >= 0)
		r = daemon_passed(d, d->handed.control, "control", e);
	if (!r && d->handed.nbd_socket >= 0)
		r = daemon_passed(d, d->handed.nbd_socket, "nbd", e);
	return r;
}

/* Or it went wrong before it could serve. */
static int daemon_not_handed(struct daemon *d, const struct err *e)
{
	handover_go_back(&d->handed, e->text);
	return EXIT_FAILED;
}

static void daemon_replace_opts(struct job *j, struct daemon *d)
{
	d->o.replace = (struct replace_opts){
		.background = !j->o.given[OPT_foreground], .directory = d->directory, .control = d->o.control.fd,
		.nbd_socket = d->o.nbd.unix_fd,
	};
	if (!d->o.state)
		d->o.replace.forbidden = "this daemon keeps no state of its devices (--ephemeral), so no other can take them over";
}

static int daemon_start(struct job *j, struct daemon *d)
{
	const struct keeper_opts o = {
		.serve = daemon_serve, .ready = daemon_kept_ready, .give_up = daemon_remove, .arg = d,
		.attached = j->o.given[OPT_foreground], .patience = d->restart,
	};

	d->o.ready = daemon_ready;
	d->o.arg = d;
	daemon_replace_opts(j, d);
	umask(077);
	return o.patience ? keeper_run(&o) : serve(&d->o) ? EXIT_FAILED : EXIT_OK;
}

static int daemon_run(struct job *j, struct daemon *d, struct err *e)
{
	char closed[PATHS_MAX];
	int code = -1;

	if (daemon_handed(d, e) || keep_begin(daemon_passed, d, e))
		return daemon_not_handed(d, e);
	if (d->o.control.fd < 0 && paths_make_directory(d->control, d->o.control.allow_read, e))
		return EXIT_FAILED;
	if (daemon_state(d, e))
		return daemon_not_handed(d, e);
	if (d->o.control.allow_read && paths_closed(d->control, closed))
		say_note("--allow-read has no effect: other users cannot search the directory %s of %s", closed, d->control);
	if (!j->o.given[OPT_foreground] && !d->o.handed)
		code = background_begin(&d->back, d->log, e);
	return code >= 0 ? code : daemon_start(j, d);
}

int command_daemon(struct job *j)
{
	struct daemon d = { .back = BACKGROUND_NONE, .handed = HANDOVER_NONE };
	struct err e = ERR_INIT;
	int code;

	if (j->o.given[OPT_replace])
		return replace_command(j);
	if (j->argc)
		return job_usage(j, "unexpected word '%s': only options are allowed", j->argv[0]);
	if (handover_read(&d.handed, &e) || daemon_options(j, &d, &e)) {
		handover_go_back(&d.handed, e.text);
		code = job_usage(j, "%s", e.text);
	} else {
		code = daemon_run(j, &d, &e);
		if (e.code)
			job_failed(j, NULL, &e);
	}
	daemon_free(&d);
	handover_free(&d.handed);
	return code;
}

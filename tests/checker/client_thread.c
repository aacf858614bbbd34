/* SPDX-License-Identifier: BSD-2-Clause */
/* A client with a thread of its own (client.h), which asks and waits for the answer. */
#include <errno.h>
#include <unistd.h>

#include "checker/client.h"
#include "checker/found.h"

/* False: what it asked is gone. */
static bool one_request(struct client *c)
{
	int err;

	client_choose(c);
	err = c->way == CLIENT_NBD ? client_nbd_ask(c) : client_file_ask(c);
	if (err == CLIENT_LOST)
		found("client %u on %s: nobody answers it any more", c->number, c->volume);
	else
		client_answered(c, err);
	return err != CLIENT_LOST;
}

/* False: it is to end. */
static bool may_go_on(struct client *c)
{
	bool ends;

	pthread_mutex_lock(&c->lock);
	while (atomic_load(&c->stop) && !c->ends) {
		atomic_store(&c->stopped, true);
		pthread_cond_wait(&c->change, &c->lock);
	}
	ends = c->ends;
	pthread_mutex_unlock(&c->lock);
	return !ends;
}

/* A file is opened and closed here, because the control thread answers. */
static void *client_main(void *arg)
{
	struct client *c = arg;
	bool usable = c->way == CLIENT_NBD || client_file_open(c);

	while (usable && may_go_on(c) && one_request(c))
		;
	atomic_store(&c->stopped, true);
	close(c->fd);
	atomic_store(&c->ended, true);
	return NULL;
}

void client_thread_begin(struct client *c)
{
	atomic_store(&c->stop, true);
	atomic_store(&c->stopped, false);
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->change, NULL);
	if (pthread_create(&c->thread, NULL, client_main, c))
		found("no thread");
}

void client_thread_change(struct client *c)
{
	pthread_mutex_lock(&c->lock);
	pthread_cond_signal(&c->change);
	pthread_mutex_unlock(&c->lock);
}

void client_begin_end(struct client *c)
{
	if (c->way == CLIENT_INSIDE)
		return;
	pthread_mutex_lock(&c->lock);
	c->ends = true;
	pthread_cond_signal(&c->change);
	pthread_mutex_unlock(&c->lock);
}

void client_end(struct client *c)
{
	if (c->way != CLIENT_INSIDE)
		pthread_join(c->thread, NULL);
}

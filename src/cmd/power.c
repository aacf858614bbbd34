/* SPDX-License-Identifier: BSD-2-Clause */
/* dmuse cut, restore: the power of disks of which the tables have powercut lines. */
#include "cmd/client.h"
#include "cmd/keys.h"
#include "cmd/pick.h"
#include "cmd/say.h"
#include "cmd/show.h"

static plist_t power_request(const char *command, const struct pick *p)
{
	plist_t request = request_new(command, NULL), names = say_need(plist_new_array());
	size_t i;

	for (i = 0; i < p->n; i++)
		plist_array_append_item(names, say_need(plist_new_string(p->names[i])));
	plist_dict_set_item(request, "names", names);
	return request;
}

/* What the message `cut` to each of them would say. */
static void power_how(struct job *j, plist_t request)
{
	struct text how = TEXT_INIT;

	if (j->o.given[OPT_survive])
		text_printf(&how, "%s ", j->o.value[OPT_survive]);
	if (j->o.given[OPT_seed])
		text_printf(&how, "seed %s ", j->o.value[OPT_seed]);
	if (j->o.given[OPT_hang])
		text_add(&how, "hang");
	key_take_text(request, "message", &how);
}

static int power_ask(struct job *j, const char *command, const struct pick *p)
{
	plist_t request = power_request(command, p);
	int code;
	size_t i;

	power_how(j, request);
	code = client_ask(j, NULL, request, NULL);
	show_list(j);
	for (i = 0; !code && (j->o.given[OPT_verbose] || j->o.given[OPT_json]) && i < p->n; i++)
		code = show_change(j, p->names[i], request_new("info", p->names[i]));
	return show_list_end(j, code);
}

static int power(struct job *j, const char *command)
{
	struct pick p;
	int code = pick_devices(j, PICK_NONE_IS_WRONG, &p);

	if (!code)
		code = power_ask(j, command, &p);
	if (!code && !p.n)
		client_say_absent(j);
	pick_free(&p);
	return code;
}

int command_cut(struct job *j)
{
	return power(j, "cut");
}

int command_restore(struct job *j)
{
	return power(j, "restore");
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The part of the view that always exists, and how our nodes are added to it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "fronts/fuse/dev.h"

#define TREE_LOOP makedev(10, 237)	/* /dev/loop-control */
#define TREE_CONTROL makedev(10, 236)	/* /dev/mapper/control on any Linux since 2.6.36 */

static const struct dev_text tree_proc[] = {
	{ .name = "devices", .show = dev_proc_devices },
	{ .name = "diskstats", .show = dev_proc_diskstats },
	{ .name = "mountinfo", .fixed = "" },
	{ .name = "partitions", .show = dev_proc_partitions },
	{ 0 },
};

struct dev_node *dev_add(struct dev_node *dir, const char *name, mode_t mode)
{
	struct dev_node *n = dir ? dev_node_new(dir->view, mode, dev_id_below(dir, name, 0)) : NULL;

	if (!n)
		return NULL;
	n->live = true;
	n->device = dir->device;
	if (dev_entry_new(dir, name, n))
		return n;
	dev_node_check(n);
	return NULL;
}

struct dev_node *dev_add_link(struct dev_node *dir, const char *name, const char *target)
{
	struct dev_node *n = dev_add(dir, name, S_IFLNK | 0777);

	if (!n)
		return NULL;
	n->data = strdup(target);
	if (n->data) {
		n->len = strlen(target);
		return n;
	}
	dev_entry_drop(dev_entry_find(dir, name));
	return NULL;
}

static struct dev_node *tree_dir(struct dev_node *dir, const char *name)
{
	return dev_add(dir, name, S_IFDIR | 0755);
}

/* Where the machine's loop devices cannot be used. */
static int tree_loops(struct dev_view *v)
{
	struct dev_node *control, *io;

	v->loops = !dev_loop_machine();
	if (!v->loops)
		return 0;
	control = dev_add(v->root, "loop-control", S_IFCHR | 0660);
	io = dev_add(v->io, "loop-control", S_IFREG | 0600);
	if (!control || !io)
		return -ENOMEM;
	control->rdev = TREE_LOOP;
	io->loops = true;
	return 0;
}

static int tree_grow(struct dev_view *v)
{
	struct dev_node *control, *io_control, *hidden, *sys;
	struct dev_entry *mounts;

	v->mapper = tree_dir(v->root, "mapper");
	control = dev_add(v->mapper, "control", S_IFCHR | 0600);
	v->numbers = tree_dir(v->root, "block");	/* as udev creates them */
	hidden = tree_dir(v->root, ".dmuse");
	v->io = tree_dir(hidden, "io");
	io_control = dev_add(v->io, "control", S_IFREG | 0600);
	v->proc = tree_dir(hidden, "proc");
	sys = tree_dir(hidden, "sys");
	v->sys_numbers = tree_dir(tree_dir(sys, "dev"), "block");
	v->sys_block = tree_dir(sys, "block");
	v->sys_class = tree_dir(tree_dir(sys, "class"), "block");
	v->sys_devices = tree_dir(tree_dir(tree_dir(sys, "devices"), "virtual"), "block");
	v->sys_holders = tree_dir(sys, "holders");
	v->subsystem = dev_add_link(sys, "subsystem", "../../../../class/block");
	if (!control || !io_control || !v->proc || !v->subsystem || !v->numbers || !v->sys_numbers || !v->sys_block || !v->sys_class || !v->sys_devices ||
	    !v->sys_holders)
		return -ENOMEM;
	dev_texts(v->proc, tree_proc);
	mounts = dev_entry_get(v->proc, "mountinfo");
	if (!mounts)
		return -ENOMEM;
	control->rdev = TREE_CONTROL;
	io_control->control = true;
	mounts->of->mounts = true;
	return tree_loops(v);
}

int dev_tree_grow(struct dev_view *v)
{
	v->root = dev_node_new(v, S_IFDIR | 0755, FUSE_ROOT_ID);
	if (!v->root)
		return -ENOMEM;
	v->root->live = true;
	v->root->nlink = 1;
	v->root->parent = v->root;
	return tree_grow(v);
}

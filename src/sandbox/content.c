#include "sandbox/content.h"
#include "base/defer.h"
#include "base/fd.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static void passwd(struct buf *b, const struct content *c)
{
	buf_printf(b, "root:x:0:0:root:%s:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
		   c->home);
}

static void group(struct buf *b, const struct content *c)
{
	(void)c;
	buf_puts(b, "root:x:0:\ntty:x:5:\nnogroup:x:65534:\n");
}

static void hosts(struct buf *b, const struct content *c)
{
	buf_printf(b, "127.0.0.1\tlocalhost %s\n::1\tlocalhost ip6-localhost ip6-loopback\n", c->hostname);
}

static void hostname(struct buf *b, const struct content *c)
{
	buf_printf(b, "%s\n", c->hostname);
}

static void nsswitch(struct buf *b, const struct content *c)
{
	(void)c;
	buf_puts(b,
		 "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nservices: files\nprotocols: files\n");
}

static void resolv(struct buf *b, const struct content *c)
{
	(void)c;
	buf_puts(b, "# no network, no name servers\n");
}

static const struct file {
	const char *name;
	void (*write)(struct buf *b, const struct content *c);
} files[] = {
	{ "passwd", passwd },	{ "group", group },	  { "hosts", hosts },
	{ "hostname", hostname }, { "nsswitch.conf", nsswitch }, { "resolv.conf", resolv },
};

int content_write(int root_fd, const struct content *c, struct err *e)
{
	auto_close int etc_fd = openat(root_fd, "etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (etc_fd < 0)
		return err_sys(e, "open /etc of the new root");
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		auto_buf struct buf text = { 0 };
		int r;

		files[i].write(&text, c);
		r = file_create_at(etc_fd, files[i].name, 0644, text.text, text.len);
		if (r < 0) {
			errno = -r;
			return err_sys(e, "write /etc/%s", files[i].name);
		}
	}
	return 0;
}

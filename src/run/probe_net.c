#include "run/probe_net.h"
#include "base/defer.h"
#include "base/kernel.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>

struct generation_request {
	struct nlmsghdr head;
	struct nfgenmsg body;
};

/* Asks for the generation of the rule set: nothing is changed. Returns 0 or -errno. */
static int ask_generation(int fd)
{
	enum { GET = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETGEN };
	struct generation_request request = {
		.head = { .nlmsg_len = sizeof(request), .nlmsg_type = GET, .nlmsg_flags = NLM_F_REQUEST },
		.body = { .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0 },
	};
	_Alignas(struct nlmsghdr) char reply[1024];
	const struct nlmsghdr *head = (const struct nlmsghdr *)reply;
	ssize_t n;

	if (send(fd, &request, sizeof(request), 0) < 0)
		return -errno;
	n = recv(fd, reply, sizeof(reply), 0);
	if (n < 0)
		return -errno;
	if ((size_t)n < sizeof(*head))
		return -EBADMSG;
	if (head->nlmsg_type != NLMSG_ERROR)
		return 0;
	if ((size_t)n < NLMSG_LENGTH(sizeof(struct nlmsgerr)))
		return -EBADMSG;
	return ((const struct nlmsgerr *)NLMSG_DATA(head))->error;
}

static void ask_nftables(const struct probe *p, struct fact *f)
{
	auto_close int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	struct timeval patience = { .tv_sec = 1 };
	int r;

	(void)p;
	if (fd < 0) {
		fact_errno(f, errno, "socket(NETLINK_NETFILTER)");
		return;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	r = ask_generation(fd);
	if (r < 0)
		fact_errno(f, -r, "NFT_MSG_GETGEN");
	else
		fact_ok(f, "answers");
}

void probe_nftables(const struct probe *p, struct fact *f)
{
	probe_in_namespaces(CLONE_NEWNET, ask_nftables, p, f);
	if (f->status == FACT_OK)
		fact_ok(f, "answers in a new network namespace%s", probe_is_rootless() ? " of an ordinary user" : "");
}

void probe_tun(const struct probe *p, struct fact *f)
{
	static const char path[] = "/dev/net/tun";
	auto_close int fd = open(path, O_RDWR | O_CLOEXEC);
	int error = errno;

	(void)p;
	if (fd >= 0) {
		fact_ok(f, "opens");
		return;
	}
	fact_errno(f, error, path);
	if (error != EACCES && error != EPERM)
		return;
	fact_cause(f, "the node is not open to this user, as it is where udev runs (mode 0666)");
	fact_fix(f, "sudo chmod 0666 /dev/net/tun");
}

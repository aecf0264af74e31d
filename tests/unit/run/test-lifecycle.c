/*
 * The transition table against the model that it was made from: the graph of the one, explored
 * through lifecycle_may() and lifecycle_step() from the first state, is the graph of the other,
 * transition by transition. The model's is in tests/model/lifecycle.graph, and becomes part of
 * this program, which runs where the tree cannot be read. With NUCLEUS_MODELS, the absolute path
 * of the directory of Lifecycle.tla (tla.py in it or in ../../tools), it is made anew and
 * compared as well.
 */
#include "base/defer.h"
#include "base/mem.h"
#include "run/lifecycle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after those four */
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

asm(".pushsection .rodata\n"
    "model_graph: .incbin \"tests/model/lifecycle.graph\"\n"
    ".byte 0\n"
    ".popsection\n");
extern const char model_graph[];

enum {
	MAX_CRASHES = 3, /* the model's constant: the table knows no bound */
	STATES = 498,
	TRANSITIONS = 907,
	STATES_MAX = 4096,
	LINE_MAX_LEN = 128,
	LINES_MAX = 4096,
};

/* Transitions as text, "STATE | ACTION | STATE", sorted. */
struct graph {
	struct lifecycle states[STATES_MAX];
	char lines[LINES_MAX][LINE_MAX_LEN];
	int state_count, line_count;
	bool overflow; /* a mutated table may lead anywhere */
};

/* The model's words, in the order of the bits: a second opinion on what each bit means. */
static const char *const words[LIFECYCLE_FIELDS][16] = {
	{ "off", "lock", "claim", "cgroup", "spawn", "attach", "network", "created", "release",
	  "running", "reap", "exited", "unnet", "uncgroup" },
	{ "off", "lock", "kill", "unnet", "uncgroup" },
	{ "free", "sup", "jan" },
	{ "none", "creating", "created", "running", "exited", "stopped" },
	{ "none", "known", "lost" },
	{ "none", "held", "running", "dead" },
	{ "0", "1" },
	{ "0", "1" },
	{ "0", "1" },
	{ "0", "1" },
};

static void state_text(const struct lifecycle *s, char *text, size_t size)
{
	size_t n = 0;

	for (int i = 0; i < LIFECYCLE_FIELDS; i++) {
		const char *word = NULL;

		if (s->field[i] && !(s->field[i] & (s->field[i] - 1)))
			word = words[i][__builtin_ctz(s->field[i])];
		n += (size_t)snprintf(text + n, size - n, "%s ", word ? word : "?");
	}
	snprintf(text + n, size - n, "%u", s->crashes);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void graph_add(struct graph *g, const char *from, const char *action, const char *to)
{
	int n;

	if (g->line_count == LINES_MAX) {
		g->overflow = true;
		return;
	}
	n = snprintf(g->lines[g->line_count++], LINE_MAX_LEN, "%s | %s | %s", from, action, to);
	assert_in_range(n, 1, LINE_MAX_LEN - 1);
}

static void graph_visit(struct graph *g, const struct lifecycle *s)
{
	for (int i = 0; i < g->state_count; i++)
		if (memcmp(&g->states[i], s, sizeof(*s)) == 0)
			return;
	if (g->state_count == STATES_MAX)
		g->overflow = true;
	else
		g->states[g->state_count++] = *s;
}

typedef int step_fn(struct lifecycle *s, enum lifecycle_action a);

static void explore(step_fn *step, struct graph *g)
{
	memset(g, 0, sizeof(*g));
	graph_visit(g, &lifecycle_first);
	for (int i = 0; i < g->state_count && !g->overflow; i++) {
		char from[LINE_MAX_LEN], to[LINE_MAX_LEN];

		state_text(&g->states[i], from, sizeof(from));
		for (enum lifecycle_action a = 0; a < LIFECYCLE_ACTIONS; a++) {
			struct lifecycle s = g->states[i];
			bool crash = a == LIFECYCLE_CRASH || a == LIFECYCLE_JCRASH;

			if ((crash && s.crashes >= MAX_CRASHES) || step(&s, a) < 0)
				continue;
			state_text(&s, to, sizeof(to));
			graph_add(g, from, lifecycle_action_name(a), to);
			graph_visit(g, &s);
		}
	}
	qsort(g->lines, (size_t)g->line_count, LINE_MAX_LEN, by_text);
}

/* Reads what tla.py prints; lines of other form are no transitions. */
static void graph_read(const char *text, struct graph *g)
{
	memset(g, 0, sizeof(*g));
	while (*text) {
		size_t len = strcspn(text, "\n");

		if (text[0] != '#' && memmem(text, len, " | ", 3)) {
			assert_in_range(len, 1, LINE_MAX_LEN - 1);
			assert_in_range(g->line_count, 0, LINES_MAX - 1);
			memcpy(g->lines[g->line_count++], text, len);
		}
		text += len + (text[len] == '\n');
	}
	qsort(g->lines, (size_t)g->line_count, LINE_MAX_LEN, by_text);
}

/* How many transitions only one of the two has. With names, the first few are shown. */
static int differences(const struct graph *a, const struct graph *b, const char *a_name,
		       const char *b_name)
{
	int count = 0, i = 0, j = 0;

	while (i < a->line_count || j < b->line_count) {
		int order = i == a->line_count ? 1 :
			    j == b->line_count ? -1 :
						 strcmp(a->lines[i], b->lines[j]);

		if (order != 0 && count++ < 10 && a_name)
			print_error("only in %s: %s\n", order < 0 ? a_name : b_name,
				    order < 0 ? a->lines[i] : b->lines[j]);
		i += order <= 0;
		j += order >= 0;
	}
	return count;
}

static struct graph *model(void)
{
	struct graph *g = mem_alloc(sizeof(*g));

	graph_read(model_graph, g);
	return g;
}

/* What production calls; may and step are of one opinion, and a refused step changes nothing. */
static int step_table(struct lifecycle *s, enum lifecycle_action a)
{
	const struct lifecycle before = *s;
	bool may = lifecycle_may(s, a);
	int r = lifecycle_step(s, a);

	assert_int_equal(r, may ? 0 : -EPROTO);
	if (r < 0)
		assert_memory_equal(s, &before, sizeof(before));
	return r;
}

static void table_has_the_graph_of_the_model(void **state)
{
	auto_free struct graph *want = model();
	auto_free struct graph *got = mem_alloc(sizeof(*got));

	(void)state;
	explore(step_table, got);
	assert_false(got->overflow);
	assert_int_equal(differences(want, got, "the model", "the table"), 0);
	assert_int_equal(want->line_count, TRANSITIONS);
	assert_int_equal(got->line_count, TRANSITIONS);
	assert_int_equal(got->state_count, STATES);
}

static void one_row_at_most_applies(void **state)
{
	auto_free struct graph *g = mem_alloc(sizeof(*g));

	(void)state;
	explore(step_table, g);
	for (int i = 0; i < g->state_count; i++) {
		int rows[LIFECYCLE_ACTIONS] = { 0 };

		for (int j = 0; j < lifecycle_rule_count; j++) {
			const struct lifecycle_rule *r = &lifecycle_rules[j];

			rows[r->action] += lifecycle_rule_allows(r, &g->states[i]);
		}
		for (int a = 0; a < LIFECYCLE_ACTIONS; a++)
			assert_in_range(rows[a], 0, 1);
	}
}

static void rows_of_an_action_agree(void **state)
{
	(void)state;
	for (enum lifecycle_action a = 0; a < LIFECYCLE_ACTIONS; a++) {
		const char *name = lifecycle_action_name(a);
		bool crash = a == LIFECYCLE_CRASH || a == LIFECYCLE_JCRASH;

		assert_string_not_equal(name, "nothing");
		for (int i = 0; i < lifecycle_rule_count; i++) {
			const struct lifecycle_rule *r = &lifecycle_rules[i];

			assert_int_equal(strcmp(r->name, name) == 0, r->action == a);
			if (r->action == a)
				assert_int_equal(r->by == BY_CRASH, crash);
		}
	}
	assert_string_equal(lifecycle_action_name(LIFECYCLE_ACTIONS), "nothing");
}

/* --- Mutations: what is not caught when it changes is not tested. --- */

enum { RULES_MAX = 64 };

static struct lifecycle_rule mutant[RULES_MAX];

/* As lifecycle_step(), but where two rows apply, and their order would decide, none does. */
static int step_mutant(struct lifecycle *s, enum lifecycle_action a)
{
	const struct lifecycle_rule *row = NULL;

	for (int i = 0; i < lifecycle_rule_count; i++) {
		if (mutant[i].action != a || !lifecycle_rule_allows(&mutant[i], s))
			continue;
		if (row)
			return -EPROTO;
		row = &mutant[i];
	}
	if (!row)
		return -EPROTO;
	lifecycle_rule_apply(row, s);
	return 0;
}

static void mutant_reset(void)
{
	assert_in_range(lifecycle_rule_count, 1, RULES_MAX);
	memcpy(mutant, lifecycle_rules, (size_t)lifecycle_rule_count * sizeof(*mutant));
}

/* The row of @a that is the @nth, from 0. */
static struct lifecycle_rule *mutant_row(enum lifecycle_action a, int nth)
{
	for (int i = 0; i < lifecycle_rule_count; i++)
		if (mutant[i].action == a && nth-- == 0)
			return &mutant[i];
	fail_msg("no such row of %s", lifecycle_action_name(a));
	return NULL;
}

static bool caught(const struct graph *want, struct graph *g)
{
	explore(step_mutant, g);
	return g->overflow || differences(want, g, NULL, NULL) > 0;
}

#define IN(part, name) (offsetof(struct lifecycle_rule, part) + offsetof(struct lifecycle, name))

enum {
	REC_NOT_EXITED = REC_CREATING | REC_CREATED | REC_RUNNING,
	REC_AT_END = REC_EXITED | REC_STOPPED,
	SUP_RELEASED = SUP_RELEASE | SUP_RUNNING,
};

/* Mistakes of design, each of which breaks a property of the model. */
static const struct mutation {
	const char *what;
	enum lifecycle_action action;
	int row;
	size_t field;
	uint16_t value;
} mutations[] = {
	{ "stopped before the teardown", LIFECYCLE_EXITED, 0, IN(then, rec), REC_STOPPED },
	{ "no exit status in time", LIFECYCLE_EXITED, 0, IN(then, exit), 0 },
	{ "a record after the fact", LIFECYCLE_CLAIM, 0, IN(then, rec), REC_NONE },
	{ "the janitor ignores exited", LIFECYCLE_JLOCK, 0, IN(when, rec), REC_NOT_EXITED },
	{ "the janitor takes what is stopped", LIFECYCLE_JLOCK, 0, IN(when, rec), 0 },
	{ "the janitor needs no lock", LIFECYCLE_JLOCK, 0, IN(when, lock), 0 },
	{ "the janitor forgets the network", LIFECYCLE_JUNNET, 0, IN(then, net), 0 },
	{ "the janitor overwrites the status", LIFECYCLE_JSTOPPED, 0, IN(then, exit), STATUS_LOST },
	{ "exec before it says created", LIFECYCLE_CREATED, 0, IN(then, rec), REC_CREATING },
	{ "no end before the release", LIFECYCLE_REAP, 0, IN(when, sup), SUP_RELEASED },
	{ "born outside of the cgroup", LIFECYCLE_SPAWN, 0, IN(then, inside), FLAG_NO },
	{ "exec unarmed", LIFECYCLE_RELEASE, 0, IN(when, armed), 0 },
	{ "an open record is removed", LIFECYCLE_REMOVE, 0, IN(when, rec), REC_AT_END },
	{ "network before attach", LIFECYCLE_NETWORK, 0, IN(when, sup), SUP_SPAWN },
	{ "a crash keeps the lock", LIFECYCLE_CRASH, 1, IN(then, lock), 0 },
};

static void each_mutation_is_caught(void **state)
{
	auto_free struct graph *want = model();
	auto_free struct graph *got = mem_alloc(sizeof(*got));

	(void)state;
	mutant_reset();
	assert_false(caught(want, got));
	for (size_t i = 0; i < sizeof(mutations) / sizeof(*mutations); i++) {
		const struct mutation *m = &mutations[i];
		char *row;

		mutant_reset();
		row = (char *)mutant_row(m->action, m->row);
		memcpy(row + m->field, &m->value, sizeof(m->value));
		if (!caught(want, got))
			fail_msg("not caught: %s", m->what);
	}
}

/*
 * What rows say although no reachable state is without it: a second lock on a door, or words for
 * the reader. The list is exact, so that a row that loses its grip on the graph is noticed.
 */
static const struct {
	enum lifecycle_action action;
	int row;
	size_t field;
} redundant[] = {
	{ LIFECYCLE_LOCK, 0, IN(when, sup) }, /* a supervisor has its record locked */
	{ LIFECYCLE_LOCK, 0, IN(when, lock) }, /* its other two imply it, but only together */
	{ LIFECYCLE_SPAWN, 0, IN(then, armed) }, /* nobody was before */
	{ LIFECYCLE_ATTACH, 0, IN(then, inside) }, /* born there */
	{ LIFECYCLE_REAP, 0, IN(when, sup) }, /* only they have a child that can be dead */
	{ LIFECYCLE_STOPPED, 0, IN(then, exit) }, /* known since Exited */
	{ LIFECYCLE_ORPHAN, 1, IN(when, armed) }, /* nothing runs that is not */
	{ LIFECYCLE_JLOCK, 0, IN(when, jan) }, /* a janitor has the lock */
	{ LIFECYCLE_JUNCGROUP, 0, IN(when, inside) }, /* since JKill */
	{ LIFECYCLE_REMOVE, 0, IN(when, lock) }, /* goes together with being stopped */
	{ LIFECYCLE_CRASH, 0, IN(when, sup) }, /* a dead child not yet reaped has a parent */
};

static bool is_redundant(const struct lifecycle_rule *r, ptrdiff_t field)
{
	for (size_t i = 0; i < sizeof(redundant) / sizeof(*redundant); i++)
		if (redundant[i].action == r->action && redundant[i].field == (size_t)field &&
		    mutant_row(r->action, redundant[i].row) == r)
			return true;
	return false;
}

/* Each word of the table counts: without it the graph is another. */
static void each_word_is_needed(void **state)
{
	static const char *const part[] = { "when", "then" };
	auto_free struct graph *want = model();
	auto_free struct graph *got = mem_alloc(sizeof(*got));
	int count = 0, wrong = 0;

	(void)state;
	for (int i = 0; i < lifecycle_rule_count; i++) {
		for (size_t f = 0; f < 2 * LIFECYCLE_FIELDS; f++) {
			bool then = f >= LIFECYCLE_FIELDS;
			size_t n = f % LIFECYCLE_FIELDS;
			struct lifecycle_rule *r = &mutant[i];
			uint16_t *word = then ? &r->then.field[n] : &r->when.field[n];

			mutant_reset();
			if (!*word)
				continue;
			*word = 0;
			count++;
			if (caught(want, got) != is_redundant(r, (char *)word - (char *)r))
				continue;
			print_error("%s, row %d: %s, field %zu\n", r->name, i, part[then], n);
			wrong++;
		}
	}
	assert_true(count > 2 * LIFECYCLE_ACTIONS);
	assert_int_equal(wrong, 0);
}

/* --- The model itself, where it is at hand. --- */

static char *find_tool(const char *dir)
{
	static const char *const places[] = { "", "../../tools/" };

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		auto_free char *path = mem_printf("%s/%stla.py", dir, places[i]);

		if (access(path, R_OK) == 0)
			return take_ptr(path);
	}
	return NULL;
}

/* Fills @text with what the checker prints; returns its exit status, 127 without Python. */
static int run_checker(const char *tool, const char *spec, char *text, size_t size)
{
	size_t len = 0;
	ssize_t n;
	int fds[2], status;
	pid_t pid;

	assert_return_code(pipe(fds), errno);
	pid = fork();
	assert_return_code(pid, errno);
	if (pid == 0) {
		dup2(fds[1], STDOUT_FILENO);
		close(fds[0]);
		close(fds[1]);
		execlp("python3", "python3", "-B", tool, spec, "--graph",
		       "sup,jan,lock,rec,exit,proc,inside,armed,cgroup,net,crashes", NULL);
		_exit(127);
	}
	close(fds[1]);
	while ((n = read(fds[0], text + len, size - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void graph_on_file_is_that_of_the_model(void **state)
{
	enum { SIZE = 1 << 20 };
	const char *dir = getenv("NUCLEUS_MODELS");
	auto_free char *tool = NULL, *spec = NULL, *text = mem_alloc(SIZE);
	auto_free struct graph *on_file = model(), *made = mem_alloc(sizeof(*made));
	int status = 0;

	(void)state;
	if (!dir) {
		printf("SKIP lifecycle model: NUCLEUS_MODELS is not set\n");
		return;
	}
	spec = mem_printf("%s/Lifecycle.tla", dir);
	if (access(spec, R_OK) < 0 && errno == EACCES) {
		printf("SKIP lifecycle model: %s cannot be read by this user\n", spec);
		return;
	}
	tool = find_tool(dir);
	if (!tool)
		fail_msg("NUCLEUS_MODELS=%s: neither there nor in ../../tools is a tla.py", dir);
	status = run_checker(tool, spec, text, SIZE);
	if (status == 127) {
		printf("SKIP lifecycle model: there is no python3\n");
		return;
	}
	if (status != 0)
		fail_msg("%s %s: status %d: %.200s", tool, spec, status, text);
	graph_read(text, made);
	assert_int_equal(differences(made, on_file, "the model", "lifecycle.graph"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_has_the_graph_of_the_model),
		cmocka_unit_test(one_row_at_most_applies),
		cmocka_unit_test(rows_of_an_action_agree),
		cmocka_unit_test(each_mutation_is_caught),
		cmocka_unit_test(each_word_is_needed),
		cmocka_unit_test(graph_on_file_is_that_of_the_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

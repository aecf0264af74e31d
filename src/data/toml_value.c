#include "data/toml_value.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

static bool is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Value of a digit in any base up to 16; 16 for what is none. */
static unsigned digit_value(int c)
{
	if (is_digit(c))
		return (unsigned)(c - '0');
	if (is_letter(c) && (c | 0x20) <= 'f')
		return (unsigned)((c | 0x20) - 'a' + 10);
	return 16;
}

static void clear(struct buf *b)
{
	b->len = 0;
	buf_puts(b, ""); /* terminated even if nothing follows */
}

static void add_utf8(struct buf *b, uint32_t c)
{
	static const struct {
		uint32_t below;
		unsigned char lead;
	} forms[] = {
		{ 0x80, 0x00 },
		{ 0x800, 0xc0 },
		{ 0x10000, 0xe0 },
		{ 0x110000, 0xf0 },
	};
	char out[4];
	size_t n = 0;

	while (c >= forms[n].below)
		n++;
	for (size_t i = n; i; i--, c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3f));
	out[0] = (char)(forms[n].lead | c);
	buf_add(b, out, n + 1);
}

static int unicode_escape(struct toml *t, struct place at, unsigned digits)
{
	struct text *x = &t->text;
	uint32_t c = 0;

	for (unsigned i = 0; i < digits; i++, x->p++) {
		unsigned d = digit_value(text_peek(x));

		if (d > 15)
			return text_err(x, at, "\\u takes four hexadecimal digits and \\U eight");
		c = c << 4 | d;
	}
	if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return text_err(x, at, "U+%04X is not a Unicode character", (unsigned)c);
	add_utf8(&t->scratch, c);
	return 0;
}

/*
 * After a backslash: if only blanks are left on this line, passes them and all blank space after
 * it.
 */
static bool skip_line_end(struct text *x)
{
	struct text ahead = *x;

	text_skip_blanks(&ahead);
	if (!text_newline(&ahead))
		return false;
	do
		text_skip_blanks(&ahead);
	while (text_newline(&ahead));
	*x = ahead;
	return true;
}

static int escape(struct toml *t, bool multiline)
{
	static const char names[] = "btnfr\"\\", values[] = "\b\t\n\f\r\"\\";
	struct text *x = &t->text;
	struct place at = text_here(x);
	const char *name;
	int c;

	x->p++;
	c = text_peek(x);
	if (c == 'u' || c == 'U') {
		x->p++;
		return unicode_escape(t, at, c == 'u' ? 4 : 8);
	}
	name = c > 0 ? strchr(names, c) : NULL;
	if (name) {
		buf_add(&t->scratch, &values[name - names], 1);
		x->p++;
		return 0;
	}
	if (multiline && skip_line_end(x))
		return 0;
	return text_err(x, at, "unknown escape; write \\\\, or the string in single quotes");
}

/* Adds what stands for itself, up to the next quote, escape or line end. */
static void plain_run(struct toml *t, char quote)
{
	struct text *x = &t->text;
	const char *p = x->p;

	while (p < x->end && *p != quote && *p != '\n' && *p != '\r' &&
	       !(*p == '\\' && quote == '"'))
		p++;
	buf_add(&t->scratch, x->p, (size_t)(p - x->p));
	x->p = p;
}

/*
 * At a quote: passes a run of them; all but the closing ones belong to the string. True if it is
 * closed.
 */
static bool closing_quotes(struct toml *t, char quote, size_t closing)
{
	struct text *x = &t->text;
	size_t most = closing == 1 ? 1 : 5, n = 0;

	while (n < most && text_peek(x) == quote) {
		x->p++;
		n++;
	}
	for (size_t i = n >= closing ? closing : 0; i < n; i++)
		buf_add(&t->scratch, &quote, 1);
	return n >= closing;
}

/* After the opening quotes, which stood at @start. Line ends inside become LF. */
static int string_body(struct toml *t, struct place start, char quote, bool multiline)
{
	struct text *x = &t->text;

	clear(&t->scratch);
	if (multiline)
		text_newline(x);
	while (x->p < x->end) {
		int r = 0;

		if (*x->p == quote) {
			if (closing_quotes(t, quote, multiline ? 3 : 1))
				return 0;
		} else if (*x->p == '\\' && quote == '"') {
			r = escape(t, multiline);
		} else if (*x->p != '\n' && *x->p != '\r') {
			plain_run(t, quote);
		} else if (multiline) {
			text_newline(x);
			buf_puts(&t->scratch, "\n");
		} else {
			break;
		}
		if (r < 0)
			return r;
	}
	return text_err(x, start, "this string is not closed%s", multiline ? "" : " on its line");
}

int toml_key(struct toml *t)
{
	struct text *x = &t->text;
	struct place at = text_here(x);
	int c = text_peek(x);

	if (c == '"' || c == '\'') {
		x->p++;
		return string_body(t, at, (char)c, false);
	}
	clear(&t->scratch);
	for (; is_digit(c) || is_letter(c) || c == '_' || c == '-'; c = text_peek(x))
		buf_add(&t->scratch, x->p++, 1);
	return t->scratch.len ? 0 : text_err(x, at, "expected a key here");
}

static struct node *text_value(struct toml *t, enum node_type type, struct place at)
{
	struct node *n = text_node(&t->text, type, at);

	n->text = arena_dup_n(&t->text.tree->arena, t->scratch.text, t->scratch.len);
	n->len = t->scratch.len;
	return n;
}

static int string(struct toml *t, struct node **ret_node)
{
	struct text *x = &t->text;
	struct place at = text_here(x);
	char quote = *x->p;
	bool multiline = text_at(x, quote == '"' ? "\"\"\"" : "'''");
	int r;

	x->p += multiline ? 3 : 1;
	r = string_body(t, at, quote, multiline);
	if (r == 0)
		*ret_node = text_value(t, NODE_STRING, at);
	return r;
}

/* A number or date, cut out of the text. */
struct word {
	const char *p, *end;
};

static bool word_is(struct word w, const char *what)
{
	return (size_t)(w.end - w.p) == strlen(what) && memcmp(w.p, what, strlen(what)) == 0;
}

static bool skip(struct word *w, char a, char b)
{
	if (w->p == w->end || (*w->p != a && *w->p != b))
		return false;
	w->p++;
	return true;
}

/* Exactly @digits of them, as a number between @least and @most. */
static bool fixed(struct word *w, unsigned digits, unsigned least, unsigned most, unsigned *ret)
{
	*ret = 0;
	for (; digits; digits--, w->p++) {
		if (w->p == w->end || !is_digit(*w->p))
			return false;
		*ret = *ret * 10 + (unsigned)(*w->p - '0');
	}
	return *ret >= least && *ret <= most;
}

static unsigned days_in_month(unsigned year, unsigned month)
{
	static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap);
}

static bool date(struct word *w)
{
	unsigned year, month, day;

	return fixed(w, 4, 0, 9999, &year) && skip(w, '-', '-') && fixed(w, 2, 1, 12, &month) &&
	       skip(w, '-', '-') && fixed(w, 2, 1, days_in_month(year, month), &day);
}

/*
 * Appends the time to @out. Digits beyond nanoseconds are dropped, as TOML asks, and zeros at the
 * end with them.
 */
static bool time_of_day(struct word *w, struct buf *out)
{
	const char *start = w->p, *fraction, *last;
	unsigned n;

	if (!fixed(w, 2, 0, 23, &n) || !skip(w, ':', ':') || !fixed(w, 2, 0, 59, &n) ||
	    !skip(w, ':', ':') || !fixed(w, 2, 0, 60 /* a leap second */, &n))
		return false;
	buf_add(out, start, (size_t)(w->p - start));
	if (!skip(w, '.', '.'))
		return true;
	fraction = w->p;
	while (w->p < w->end && is_digit(*w->p))
		w->p++;
	last = w->p - fraction > 9 ? fraction + 9 : w->p;
	while (last > fraction && last[-1] == '0')
		last--;
	if (last > fraction)
		buf_add(out, fraction - 1, (size_t)(last - fraction) + 1);
	return w->p > fraction;
}

static bool offset(struct word *w, struct buf *out)
{
	const char *start = w->p;
	unsigned n;

	if (skip(w, 'Z', 'z')) {
		buf_puts(out, "Z");
		return true;
	}
	if (!skip(w, '+', '-') || !fixed(w, 2, 0, 23, &n) || !skip(w, ':', ':') ||
	    !fixed(w, 2, 0, 59, &n))
		return false;
	buf_add(out, start, (size_t)(w->p - start));
	return true;
}

/* RFC 3339, and its parts. False if @w is none; else the normal form is in @out. */
static bool datetime(struct word w, struct buf *out, enum node_type *ret_type)
{
	const char *start = w.p;
	bool dated = w.end - w.p > 4 && w.p[4] == '-';

	if (dated) {
		if (!date(&w))
			return false;
		buf_add(out, start, (size_t)(w.p - start));
		*ret_type = NODE_DATE_LOCAL;
		if (w.p == w.end)
			return true;
		if (!skip(&w, 'T', 't') && !skip(&w, ' ', ' '))
			return false;
		buf_puts(out, "T");
	}
	if (!time_of_day(&w, out))
		return false;
	*ret_type = dated ? NODE_DATETIME_LOCAL : NODE_TIME_LOCAL;
	if (w.p == w.end)
		return true;
	*ret_type = NODE_DATETIME;
	return dated && offset(&w, out) && w.p == w.end;
}

/*
 * Passes digits with single underscores between them; false if there are none or an underscore
 * stands elsewhere.
 */
static bool digits(struct word *w, unsigned base)
{
	for (;;) {
		const char *start = w->p;

		while (w->p < w->end && digit_value(*w->p) < base)
			w->p++;
		if (w->p == start)
			return false;
		if (!skip(w, '_', '_'))
			return true;
	}
}

/* @w has only digits and underscores. False if the value does not fit. */
static bool whole(struct word w, unsigned base, bool negative, int64_t *ret)
{
	uint64_t most = (uint64_t)INT64_MAX + negative, n = 0;

	for (; w.p < w.end; w.p++) {
		unsigned d = digit_value(*w.p);

		if (*w.p == '_')
			continue;
		if (n > (most - d) / base)
			return false;
		n = n * base + d;
	}
	*ret = (int64_t)(negative ? 0 - n : n);
	return true;
}

static bool fraction_and_exponent(struct word w)
{
	if (skip(&w, '.', '.') && !digits(&w, 10))
		return false;
	if (skip(&w, 'e', 'E')) {
		skip(&w, '+', '-');
		if (!digits(&w, 10))
			return false;
	}
	return w.p == w.end;
}

static double real(struct toml *t, struct word w)
{
	clear(&t->scratch);
	for (; w.p < w.end; w.p++)
		if (*w.p != '_')
			buf_add(&t->scratch, w.p, 1);
	return strtod(t->scratch.text, NULL);
}

static int integer(struct toml *t, struct place at, struct word w, unsigned base, bool negative,
		   struct node **ret_node)
{
	int64_t value;

	if (!whole(w, base, negative, &value))
		return text_err(&t->text, at, "this integer does not fit in 64 bits");
	*ret_node = text_node(&t->text, NODE_INTEGER, at);
	(*ret_node)->integer = value;
	return 0;
}

static int number(struct toml *t, struct place at, struct word w, struct node **ret_node)
{
	struct word body = w, rest;
	double value;
	bool negative = text_peek(&t->text) == '-', is_signed = skip(&body, '+', '-');
	bool special = word_is(body, "inf") || word_is(body, "nan");
	static const struct {
		const char *prefix;
		unsigned base;
	} bases[] = {
		{ "0x", 16 },
		{ "0o", 8 },
		{ "0b", 2 },
	};

	for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
		if (is_signed || w.end - w.p < 3 || memcmp(w.p, bases[i].prefix, 2) != 0)
			continue;
		body.p += 2;
		rest = body;
		if (!digits(&rest, bases[i].base) || rest.p < rest.end)
			return text_err(&t->text, at, "not a number in base %u", bases[i].base);
		return integer(t, at, body, bases[i].base, false, ret_node);
	}
	rest = body;
	if (!special && !digits(&rest, 10))
		return text_err(&t->text, at, "expected a value here; text is written in quotes");
	if (!special && *body.p == '0' && rest.p - body.p > 1)
		return text_err(&t->text, at, "a number may not begin with a zero");
	if (!special && rest.p == rest.end)
		return integer(t, at, body, 10, negative, ret_node);
	if (!special && !fraction_and_exponent(rest))
		return text_err(&t->text, at,
				"not a number, date or time; text is written in quotes");
	value = *body.p == 'i' ? INFINITY : *body.p == 'n' ? NAN : real(t, body);
	if (!special && isinf(value))
		return text_err(&t->text, at, "this number is too large");
	*ret_node = text_node(&t->text, NODE_FLOAT, at);
	(*ret_node)->number = negative ? -value : value;
	return 0;
}

static const char *word_end(const char *p, const char *end)
{
	while (p < end && (is_digit(*p) || is_letter(*p) || strchr("_+-.:", *p)))
		p++;
	return p;
}

/* What could be a number, a date or a boolean. A blank may stand between date and time. */
static struct word next_word(const struct text *x)
{
	struct word w = { x->p, word_end(x->p, x->end) };

	if (w.end - w.p == 10 && w.p[4] == '-' && x->end - w.end > 2 && w.end[0] == ' ' &&
	    is_digit(w.end[1]) && is_digit(w.end[2]))
		w.end = word_end(w.end + 1, x->end);
	return w;
}

static bool looks_like_date(struct word w)
{
	size_t n = 0;

	while (w.p + n < w.end && is_digit(w.p[n]))
		n++;
	return (n == 2 && w.end - w.p > 2 && w.p[2] == ':') ||
	       (n == 4 && w.end - w.p > 4 && w.p[4] == '-');
}

int toml_scalar(struct toml *t, struct node **ret_node)
{
	struct text *x = &t->text;
	struct place at = text_here(x);
	struct word w;
	enum node_type type;
	int r = 0, c = text_peek(x);

	if (c == '"' || c == '\'')
		return string(t, ret_node);
	w = next_word(x);
	if (word_is(w, "true") || word_is(w, "false")) {
		*ret_node = text_node(x, NODE_BOOL, at);
		(*ret_node)->boolean = *w.p == 't';
	} else if (looks_like_date(w)) {
		clear(&t->scratch);
		if (!datetime(w, &t->scratch, &type))
			return text_err(x, at, "no such date or time");
		*ret_node = text_value(t, type, at);
	} else {
		r = number(t, at, w, ret_node);
	}
	x->p = w.end;
	return r;
}

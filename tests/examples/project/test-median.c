#include "median.h"

#include <stdio.h>

static int check(const char *what, double got, double wanted)
{
	printf("%s  %s: %g, wanted %g\n", got == wanted ? "ok  " : "FAIL", what, got, wanted);
	return got != wanted;
}

int main(void)
{
	double one[] = { 7 }, odd[] = { 3, 1, 2 }, even[] = { 4, 1, 3, 2 };
	int failures = 0;

	failures += check("one value", median(one, 1), 7);
	failures += check("odd count", median(odd, 3), 2);
	failures += check("even count", median(even, 4), 2.5);
	return failures > 0;
}

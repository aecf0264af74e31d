/*
 * The smallest payload: ends at once, or with an argument says one byte and stays until it is
 * killed.
 */
#include <unistd.h>

int main(int argc, char **argv)
{
	(void)argv;
	if (argc < 2)
		return 0;
	if (write(1, ".", 1) != 1)
		return 1;
	for (;;)
		pause();
}

#include "help.h"

#include <asm/signal.h>

#include "common/chars.h"
#include "common/sys.h"

#define WIDTH 80
#define SECOND_COLUMN 27

static void add_blanks(struct message *help, size_t count)
{
	while (count--)
		message_add(help, " ");
}

static void add_word(struct message *help, const char *word, size_t length)
{
	char one[2] = {0};

	while (length--) {
		one[0] = *word++;
		message_add(help, one);
	}
}

void help_add_item(struct message *help, const char *term, const char *about)
{
	size_t column = SECOND_COLUMN;

	message_add(help, "  ");
	message_add(help, term);
	add_blanks(help, SECOND_COLUMN - 2 - chars_length(term));
	while (*about) {
		size_t length = (size_t)(chars_find(about, ' ') - about);

		if (column > SECOND_COLUMN && column + 1 + length > WIDTH) {
			message_add(help, "\n");
			add_blanks(help, SECOND_COLUMN);
			column = SECOND_COLUMN;
		} else if (column > SECOND_COLUMN) {
			message_add(help, " ");
			column++;
		}
		add_word(help, about, length);
		column += length;
		about += length;
		while (*about == ' ')
			about++;
	}
	message_add(help, "\n");
}

long help_print(const struct message *help)
{
	signal_set broken_pipe = (signal_set)1 << (SIGPIPE - 1);
	size_t written = 0;

	sys_signal_mask(SIG_BLOCK, &broken_pipe, 0);
	while (written < help->length) {
		long result = sys_write(1, help->text + written, help->length - written);

		if (result < 0 && result != -EINTR)
			return result == -EPIPE ? 0 : result;
		if (result > 0)
			written += (size_t)result;
	}
	return 0;
}

#include "refusal.h"

#include "common/text.h"

#define LONGEST_NAME 1024

const char *refusal_code_name(enum refusal_code code)
{
	switch (code) {
	case NOT_REFUSED:
		return "";
	case ERR_USAGE:
		return "ERR_USAGE";
	case ERR_NOT_BUILT:
		return "ERR_NOT_BUILT";
	case ERR_INSTALL_PATH:
		return "ERR_INSTALL_PATH";
	case ERR_NOT_FOUND:
		return "ERR_NOT_FOUND";
	case ERR_NOT_EXECUTABLE:
		return "ERR_NOT_EXECUTABLE";
	case ERR_UNREADABLE:
		return "ERR_UNREADABLE";
	case ERR_STATIC:
		return "ERR_STATIC";
	case ERR_SET_ID:
		return "ERR_SET_ID";
	case ERR_FILE_CAPABILITIES:
		return "ERR_FILE_CAPABILITIES";
	case ERR_ARCHITECTURE:
		return "ERR_ARCHITECTURE";
	case ERR_LIBRARY:
		return "ERR_LIBRARY";
	case ERR_INSTRUMENTED:
		return "ERR_INSTRUMENTED";
	case ERR_HOLDER:
		return "ERR_HOLDER";
	}
	return "";
}

int refusal_exit_code(enum refusal_code code)
{
	return code == ERR_NOT_FOUND ? 127 : code == ERR_NOT_EXECUTABLE ? 126 : 125;
}

void message_add(struct message *message, const char *text)
{
	while (*text && message->length < sizeof(message->text) - 1)
		message->text[message->length++] = *text++;
	message->text[message->length] = 0;
}

void message_add_name(struct message *message, const char *name)
{
	size_t most = message->length + LONGEST_NAME;

	message_add(message, name);
	if (message->length > most) {
		message->length = most;
		message_add(message, "...");
	}
}

void message_add_number(struct message *message, unsigned long number)
{
	struct text digits = {.length = 0};

	text_add_number(&digits, number);
	message_add(message, digits.text);
}

int refuse_with(struct refusal *refusal, enum refusal_code code, const char *before, const char *name,
		const char *behind)
{
	refusal->code = code;
	refusal->advice = 0;
	refusal->message.length = 0;
	message_add(&refusal->message, before);
	message_add_name(&refusal->message, name);
	message_add(&refusal->message, behind);
	return -1;
}

int refuse(struct refusal *refusal, enum refusal_code code, const char *subject, const char *why)
{
	refuse_with(refusal, code, "'", subject, "'");
	message_add(&refusal->message, why);
	return -1;
}

int refuse_helper(struct refusal *refusal, enum refusal_code code, const char *subject, const char *why)
{
	refuse(refusal, code, subject, " cannot be protected by a helper: ");
	message_add(&refusal->message, why);
	refusal->advice = "--best-effort (in the API: bestEffort) runs it unprotected";
	return -1;
}

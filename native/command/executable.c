#include "executable.h"

#include "common/chars.h"
#include "elf.h"

#define START_BYTES SHEBANG_BYTES
#define SEGMENTS_AT_ONCE 16
#define MOST_SEGMENTS (65536 / ELF_PROGRAM_HEADER_BYTES) /* load_elf_phdrs() in fs/binfmt_elf.c */
#define ENTRIES_AT_ONCE 32
#define MOST_DYNAMIC_ENTRIES 4096
#define NAME_BYTES 32 /* enough to know a sanitizer by */

struct file {
	int fd;
	const char *name;
	struct refusal *refusal;
};

static int refuse_file(const struct file *file, enum refusal_code code, const char *why)
{
	return refuse_helper(file->refusal, code, file->name, why);
}

/* Reads all of it; -1 where the file is shorter. */
static int read_at(const struct file *file, uint64_t offset, void *buffer, size_t bytes)
{
	return offset <= INT64_MAX && sys_pread(file->fd, buffer, bytes, (long)offset) == (long)bytes ? 0 : -1;
}

/* ---- privileges ---------------------------------------------------------------------------- */

/*
 * The loader ignores LD_PRELOAD where the kernel sets AT_SECURE: where an effective ID of the new image is not the
 * real one, or file capabilities give something; ld.so(8), cap_bprm_creds_from_file() in security/commoncap.c.
 */
static int check_privileges(const struct file *file, const struct surroundings *surroundings)
{
	unsigned user = surroundings->effective_user, group = surroundings->effective_group;
	struct statfs mount;
	struct stat status;

	if (sys_fstat(file->fd, &status) < 0 || sys_fstatfs(file->fd, &mount) < 0)
		return 0; /* unknown */
	int counts = !(mount.f_flags & MOUNT_NOSUID), may_gain = sys_prctl(PR_GET_NO_NEW_PRIVS, 0, 0) <= 0;
	int sets_user = counts && may_gain && (status.st_mode & S_ISUID);
	/* Without the group's execute bit, set-group-ID means mandatory locking; chmod(2). */
	int sets_group = counts && may_gain && (status.st_mode & S_ISGID) && (status.st_mode & S_IXGRP);

	if (sets_user)
		user = status.st_uid;
	if (sets_group)
		group = status.st_gid;
	if (user != surroundings->real_user)
		return refuse_file(file, ERR_SET_ID,
				   sets_user ? "it is set-user-ID, and such programs ignore LD_PRELOAD"
					     : "it would start with a real user ID other than the effective one, and "
					       "such programs ignore LD_PRELOAD");
	if (group != surroundings->real_group)
		return refuse_file(file, ERR_SET_ID,
				   sets_group ? "it is set-group-ID, and such programs ignore LD_PRELOAD"
					      : "it would start with a real group ID other than the effective one, "
						"and such programs ignore LD_PRELOAD");
	/* ENODATA: none. ENOTSUP and the like: a file system that knows none. Root gains nothing by them. */
	if (surroundings->real_user != 0 && counts && sys_fgetxattr(file->fd, "security.capability") > 0)
		return refuse_file(file, ERR_FILE_CAPABILITIES,
				   "it has file capabilities, and such programs ignore LD_PRELOAD");
	return 0;
}

/* ---- ELF ----------------------------------------------------------------------------------- */

/* The program headers, some of them at a time: a call for each one is what a start would be seen to cost. */
struct segment_reader {
	const struct file *file;
	const struct elf_header *header;
	unsigned next;
	char entries[SEGMENTS_AT_ONCE][ELF_PROGRAM_HEADER_BYTES];
};

/* 1 and the next one; 0 behind the last; -1 where the file is shorter. */
static int next_segment(struct segment_reader *reader, struct elf_segment *segment)
{
	unsigned left = reader->header->count - reader->next, at = reader->next % SEGMENTS_AT_ONCE;
	size_t bytes = (left < SEGMENTS_AT_ONCE ? left : SEGMENTS_AT_ONCE) * sizeof(reader->entries[0]);
	uint64_t offset = reader->header->offset + (uint64_t)reader->next * sizeof(reader->entries[0]);

	if (left == 0)
		return 0;
	if (at == 0 && read_at(reader->file, offset, reader->entries, bytes) < 0)
		return -1;
	*segment = elf_segment_parse(reader->entries[at]);
	reader->next++;
	return 1;
}

/* What the program headers tell. */
struct segments {
	int has_interpreter;
	struct elf_segment dynamic;
};

static int read_segments(const struct file *file, const struct elf_header *header, struct segments *segments)
{
	struct segment_reader reader = {.file = file, .header = header};
	struct elf_segment segment;
	int result;

	*segments = (struct segments){.has_interpreter = 0};
	while ((result = next_segment(&reader, &segment)) > 0) {
		if (segment.type == ELF_INTERPRETER)
			segments->has_interpreter = 1;
		if (segment.type == ELF_DYNAMIC)
			segments->dynamic = segment;
	}
	return result;
}

/* Where in the file an address of the program is; 0 where nowhere. */
static uint64_t offset_of(const struct file *file, const struct elf_header *header, uint64_t address)
{
	struct segment_reader reader = {.file = file, .header = header};
	struct elf_segment segment;

	while (next_segment(&reader, &segment) > 0)
		if (segment.type == ELF_LOAD && address >= segment.address && address - segment.address < segment.bytes)
			return segment.offset + (address - segment.address);
	return 0;
}

/* Which entry of the dynamic section has this tag, from one of them on; or the number behind the last. */
static unsigned next_dynamic(const struct file *file, const struct elf_segment *section, uint64_t tag, unsigned from,
			     struct elf_dynamic *found)
{
	char entries[ENTRIES_AT_ONCE][ELF_DYNAMIC_BYTES];
	uint64_t count = section->bytes / ELF_DYNAMIC_BYTES;
	unsigned most = count < MOST_DYNAMIC_ENTRIES ? (unsigned)count : MOST_DYNAMIC_ENTRIES;

	for (unsigned at = from; at < most;) {
		long bytes = sys_pread(file->fd, entries, sizeof(entries),
				       (long)(section->offset + (uint64_t)at * ELF_DYNAMIC_BYTES));

		if (bytes < ELF_DYNAMIC_BYTES)
			return most;
		for (long i = 0; i < bytes / ELF_DYNAMIC_BYTES && at < most; i++, at++) {
			*found = elf_dynamic_parse(entries[i]);
			if (found->tag == tag)
				return at;
			if (found->tag == ELF_END)
				return most;
		}
	}
	return most;
}

/* Whether the program needs the runtime of AddressSanitizer, GCC's or Clang's, as a library. */
static int needs_asan(const struct file *file, const struct elf_header *header, const struct elf_segment *section)
{
	unsigned most = (unsigned)(section->bytes / ELF_DYNAMIC_BYTES);
	struct elf_dynamic entry;
	char name[NAME_BYTES];

	if (most > MOST_DYNAMIC_ENTRIES)
		most = MOST_DYNAMIC_ENTRIES;
	if (next_dynamic(file, section, ELF_STRINGS, 0, &entry) >= most)
		return 0;
	uint64_t strings = offset_of(file, header, entry.value);

	if (strings == 0)
		return 0;
	for (unsigned at = 0; (at = next_dynamic(file, section, ELF_NEEDED, at, &entry)) < most; at++) {
		long bytes = sys_pread(file->fd, name, sizeof(name) - 1, (long)(strings + entry.value));

		name[bytes > 0 ? bytes : 0] = 0;
		if (chars_after(name, "libasan.so") || chars_after(name, "libclang_rt.asan"))
			return 1;
	}
	return 0;
}

/* For a damaged one the kernel says ENOEXEC, and a shell is started; load_elf_binary() in fs/binfmt_elf.c. */
static enum executable_kind judge_elf(const struct file *file, const char *start, size_t bytes, int *is_asan)
{
	struct elf_header header;
	struct segments segments;

	if (!elf_header_parse(start, bytes, &header))
		return EXECUTABLE_OTHER;
	if (!header.is_64_bit) {
		refuse_file(file, ERR_ARCHITECTURE, "it is a 32-bit program, which cannot load the 64-bit helper");
		return EXECUTABLE_REFUSED;
	}
	if (header.machine != ELF_MACHINE || !header.is_little_endian) {
		refuse_file(file, ERR_ARCHITECTURE, "it is built for another architecture (ELF machine ");
		message_add_number(&file->refusal->message, header.machine);
		message_add(&file->refusal->message, ")");
		return EXECUTABLE_REFUSED;
	}
	if (header.entry_bytes != ELF_PROGRAM_HEADER_BYTES || header.count == 0 || header.count > MOST_SEGMENTS ||
	    read_segments(file, &header, &segments) < 0)
		return EXECUTABLE_OTHER;
	if (!segments.has_interpreter) {
		refuse_file(file, ERR_STATIC, "it is statically linked, so no loader runs that could load the helper");
		return EXECUTABLE_REFUSED;
	}
	*is_asan = needs_asan(file, &header, &segments.dynamic);
	return EXECUTABLE_PROGRAM;
}

/* ---- any file ------------------------------------------------------------------------------ */

static enum executable_kind examine_open(const struct file *file, const struct surroundings *surroundings,
					 struct executable *executable)
{
	char start[START_BYTES];
	enum executable_kind kind;
	struct stat status;
	long bytes;

	if (sys_fstat(file->fd, &status) < 0 || !S_ISREG(status.st_mode) ||
	    (bytes = sys_pread(file->fd, start, sizeof(start), 0)) < 0)
		return EXECUTABLE_UNKNOWN;
	if (elf_is(start, (size_t)bytes)) {
		kind = judge_elf(file, start, (size_t)bytes, &executable->is_asan);
		if (kind == EXECUTABLE_PROGRAM && check_privileges(file, surroundings) < 0)
			return EXECUTABLE_REFUSED;
		return kind;
	}
	return shebang_parse(start, (size_t)bytes, &executable->shebang) ? EXECUTABLE_SCRIPT : EXECUTABLE_OTHER;
}

void executable_examine(const char *name, const struct surroundings *surroundings, struct executable *executable,
			struct refusal *refusal)
{
	/* O_NONBLOCK: it may have become a FIFO since it was found. */
	long fd = sys_open_at(surroundings->directory, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct file file = {.fd = (int)fd, .name = name, .refusal = refusal};

	executable->is_asan = 0;
	if (fd >= 0) {
		executable->kind = examine_open(&file, surroundings, executable);
		sys_close((int)fd);
	} else if (fd == -EACCES || fd == -EPERM) {
		refuse_file(&file, ERR_UNREADABLE, "it may be executed, but not read, so what it is cannot be seen");
		executable->kind = EXECUTABLE_REFUSED;
	} else {
		executable->kind = EXECUTABLE_UNKNOWN;
	}
}

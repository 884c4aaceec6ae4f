/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands between a program and the calls with which it changes files (LD_PRELOAD), and counts them:
 * over all its threads, which strace's injection does not do. Before a call of a given number it
 * kills the program, or has the disk be full, or asks and waits for an answer.
 *
 *   INTERPOSE_BELOW=DIR:…  count what is in these directories alone
 *   INTERPOSE_LOG=FILE     a line a call: its name and what it changes; `start` for a program
 *   INTERPOSE_KILL=N       SIGKILL instead of the call N, counted from 1
 *   INTERPOSE_KILL_CHILD=N SIGKILL to the program that is started as number N
 *   INTERPOSE_KILL_AFTER=N SIGKILL once the program number N is started, which lives on
 *   INTERPOSE_FULL=N       from the call N on, nothing can be written or made: ENOSPC
 *   INTERPOSE_NO_SYNC=1    fsync does nothing
 *   INTERPOSE_ASK=FIFO     a byte goes in before each call, which waits for one out of FIFO.answer
 *
 * The program's children are not counted: what they are told of this is taken out of the
 * environment when the program begins.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static long kill_at, kill_child_at, kill_after, full_from, counted;
/* Counted by the children, before they are another program. */
static atomic_long *started;
static int no_sync, log_to = -1, ask = -1, answer = -1;
static char below[4 * PATH_MAX], log_path[PATH_MAX];
static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

static long number(const char *name)
{
	const char *value = getenv(name);
	return value ? atol(value) : 0;
}

static int opened(const char *path, int flags)
{
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0600);
}

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("INTERPOSE_BELOW");
	char other[PATH_MAX];

	if (path)
		snprintf(below, sizeof below, "%s", path);
	if ((path = getenv("INTERPOSE_LOG"))) {
		snprintf(log_path, sizeof log_path, "%s", path);
		log_to = opened(path, O_WRONLY | O_CREAT | O_APPEND);
	}
	if ((path = getenv("INTERPOSE_ASK"))) {
		snprintf(other, sizeof other, "%s.answer", path);
		ask = opened(path, O_WRONLY);
		answer = opened(other, O_RDONLY);
	}
	started = mmap(NULL, sizeof *started, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	kill_at = number("INTERPOSE_KILL");
	kill_child_at = number("INTERPOSE_KILL_CHILD");
	kill_after = number("INTERPOSE_KILL_AFTER");
	full_from = number("INTERPOSE_FULL");
	no_sync = number("INTERPOSE_NO_SYNC") != 0;
	unsetenv("LD_PRELOAD");
}

/* Whether a path is in one of the directories, which a colon parts. */
static int is_below(const char *path)
{
	const char *one = below, *end;

	for (; *one; one = end + (*end == ':')) {
		end = strchrnul(one, ':');
		if (!strncmp(path, one, (size_t)(end - one)))
			return 1;
	}
	return !*below;
}

static int fits(int directory, const char *path, char *full, size_t size)
{
	char link[64];
	ssize_t length = 0;

	full[0] = 0;
	if (!path || path[0] != '/') {
		if (directory == AT_FDCWD)
			snprintf(link, sizeof link, "/proc/self/cwd");
		else
			snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
		length = readlink(link, full, size - 1);
		if (length < 0)
			return 0;
		full[length] = 0;
		/* Pipes and sockets are no files. */
		if (full[0] != '/')
			return 0;
	}
	if (path)
		snprintf(full + length, size - (size_t)length, "%s%s", length ? "/" : "", path);
	return is_below(full);
}

/* Whether the disk is full for this call; holds the lock, which done() lets go. */
static int before(const char *name, int directory, const char *path, int grows)
{
	char full[2 * PATH_MAX], line[3 * PATH_MAX], byte = '.';
	int saved = errno, refused = 0;

	pthread_mutex_lock(&one_at_a_time);
	if (fits(directory, path, full, sizeof full)) {
		counted++;
		if (log_to >= 0) {
			int length = snprintf(line, sizeof line, "%s %s\n", name, full);
			syscall(SYS_write, log_to, line, (size_t)length);
		}
		if (ask >= 0) {
			syscall(SYS_write, ask, &byte, (size_t)1);
			syscall(SYS_read, answer, &byte, (size_t)1);
		}
		if (counted == kill_at)
			kill(getpid(), SIGKILL);
		refused = grows && full_from && counted >= full_from;
	}
	errno = saved;
	return refused;
}

static long done(long result)
{
	int saved = errno;
	pthread_mutex_unlock(&one_at_a_time);
	errno = saved;
	return result;
}

static long refuse(void)
{
	errno = ENOSPC;
	return done(-1);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define WRAP(type, name, parameters, arguments, directory, path, grows) \
	type name parameters \
	{ \
		if (before(#name, directory, path, grows)) \
			return (type)refuse(); \
		return (type)done((long)REAL(name) arguments); \
	}

#define OPEN(name, parameters, arguments, directory) \
	int name parameters \
	{ \
		mode_t mode = 0; \
		va_list list; \
		va_start(list, flags); \
		if ((flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE) \
			mode = va_arg(list, mode_t); \
		va_end(list); \
		if (!(flags & (O_CREAT | O_TRUNC))) \
			return REAL(name) arguments; \
		if (before(#name, directory, path, 1)) \
			return (int)refuse(); \
		return (int)done(REAL(name) arguments); \
	}

OPEN(open, (const char *path, int flags, ...), (path, flags, mode), AT_FDCWD)
OPEN(open64, (const char *path, int flags, ...), (path, flags, mode), AT_FDCWD)
OPEN(openat, (int at, const char *path, int flags, ...), (at, path, flags, mode), at)
OPEN(openat64, (int at, const char *path, int flags, ...), (at, path, flags, mode), at)

WRAP(ssize_t, write, (int fd, const void *data, size_t size), (fd, data, size), fd, NULL, 1)
WRAP(ssize_t, pwrite, (int fd, const void *data, size_t size, off_t at), (fd, data, size, at),
     fd, NULL, 1)
WRAP(ssize_t, pwrite64, (int fd, const void *data, size_t size, off64_t at), (fd, data, size, at),
     fd, NULL, 1)
WRAP(int, ftruncate, (int fd, off_t size), (fd, size), fd, NULL, 0)
WRAP(int, ftruncate64, (int fd, off64_t size), (fd, size), fd, NULL, 0)
WRAP(int, fchmod, (int fd, mode_t mode), (fd, mode), fd, NULL, 0)
WRAP(int, chmod, (const char *path, mode_t mode), (path, mode), AT_FDCWD, path, 0)
WRAP(int, fchmodat, (int at, const char *path, mode_t mode, int flags), (at, path, mode, flags),
     at, path, 0)
WRAP(int, utimensat, (int at, const char *path, const struct timespec times[2], int flags),
     (at, path, times, flags), at, path, 0)
WRAP(int, futimens, (int fd, const struct timespec times[2]), (fd, times), fd, NULL, 0)
WRAP(int, mkdir, (const char *path, mode_t mode), (path, mode), AT_FDCWD, path, 1)
WRAP(int, mkdirat, (int at, const char *path, mode_t mode), (at, path, mode), at, path, 1)
WRAP(int, rmdir, (const char *path), (path), AT_FDCWD, path, 0)
WRAP(int, unlink, (const char *path), (path), AT_FDCWD, path, 0)
WRAP(int, unlinkat, (int at, const char *path, int flags), (at, path, flags), at, path, 0)
WRAP(int, rename, (const char *old, const char *path), (old, path), AT_FDCWD, path, 1)
WRAP(int, renameat, (int from, const char *old, int at, const char *path), (from, old, at, path),
     at, path, 1)
WRAP(int, link, (const char *old, const char *path), (old, path), AT_FDCWD, path, 1)
WRAP(int, linkat, (int from, const char *old, int at, const char *path, int flags),
     (from, old, at, path, flags), at, path, 1)
WRAP(int, symlink, (const char *old, const char *path), (old, path), AT_FDCWD, path, 1)
WRAP(int, symlinkat, (const char *old, int at, const char *path), (old, at, path), at, path, 1)

static int synced(const char *name, int fd)
{
	int result;
	before(name, fd, NULL, 0);
	result = no_sync ? 0 : (int)syscall(SYS_fsync, fd);
	return (int)done(result);
}

int fsync(int fd) { return synced("fsync", fd); }
int fdatasync(int fd) { return synced("fdatasync", fd); }

static void starting(const char *path)
{
	char line[PATH_MAX + 8];
	long mine;
	int length, to;

	/* The search through PATH tries names that are not there. */
	if (access(path, X_OK))
		return;
	/* Whoever starts a program may have closed what it is not to have. */
	if (*log_path && (to = opened(log_path, O_WRONLY | O_APPEND)) >= 0) {
		length = snprintf(line, sizeof line, "start %s\n", path);
		syscall(SYS_write, to, line, (size_t)length);
	}
	mine = ++*started;
	if (mine == kill_child_at)
		kill((pid_t)syscall(SYS_getpid), SIGKILL);
	if (mine == kill_after)
		kill((pid_t)syscall(SYS_getppid), SIGKILL);
}

int execv(const char *path, char *const *arguments)
{
	starting(path);
	return REAL(execv)(path, arguments);
}

int execve(const char *path, char *const *arguments, char *const *environment)
{
	starting(path);
	return REAL(execve)(path, arguments, environment);
}

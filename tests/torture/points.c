/* Numbers every durable call of a process, and disturbs one of them. Loaded into the real program by LD_PRELOAD; the
 * harness that compiles it and reads what it says is `points.rs`.
 *
 * A point is a call that changes a file or a folder below POINTS_ROOT, or sends bytes to the port POINTS_PORT of a
 * database server. All threads share one counter. Beside its number a point has an address that does not depend on how
 * threads take turns: the kind of call, the file, and the how-manieth such call on that file it is.
 *
 *   POINTS_ROOT  folder, absolute, without a slash at its end
 *   POINTS_PORT  port of a server; absent: none is watched
 *   POINTS_LOG   a line for each point: process, number, kind, ordinal, file; the one that was disturbed begins with `!`
 *   POINTS_AT    number, or "kind ordinal file"; absent: nothing is disturbed, points are only counted
 *   POINTS_DO    kill: SIGKILL before the call; after: behind it; tear: half of the write, then SIGKILL;
 *                ENOSPC, EIO: the call fails once; full: it and every later call that needs space fail with ENOSPC
 *
 * The real calls are made as system calls, so nothing here depends on which names a C library gives them.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { NOTHING = 0, AFTER = -1, TEAR = -2 }; /* else an errno */
enum { ADDRESSES_MAX = 16384 };

static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
static struct { char *text; unsigned long count; } addresses[ADDRESSES_MAX];
static const char *root, *at, *deed;
static size_t root_length;
static int port, log_file = -1, is_full;
static unsigned long points;

__attribute__((constructor)) static void begin(void) {
  root = getenv("POINTS_ROOT");
  root_length = root ? strlen(root) : 0;
  port = getenv("POINTS_PORT") ? atoi(getenv("POINTS_PORT")) : 0;
  at = getenv("POINTS_AT");
  deed = getenv("POINTS_DO") ? getenv("POINTS_DO") : "";
  const char *log = getenv("POINTS_LOG");
  if (log) log_file = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void die(void) {
  syscall(SYS_kill, getpid(), SIGKILL);
  for (;;) pause();
}

/* How often this kind of call met this file, this time included. */
static unsigned long ordinal(const char *kind, const char *file) {
  char text[PATH_MAX + 16];
  unsigned long hash = 5381;
  snprintf(text, sizeof text, "%s %s", kind, file);
  for (const char *c = text; *c; c++) hash = hash * 33 + (unsigned char)*c;
  for (unsigned long slot = hash % ADDRESSES_MAX;; slot = (slot + 1) % ADDRESSES_MAX) {
    if (!addresses[slot].text) addresses[slot].text = strdup(text);
    if (strcmp(addresses[slot].text, text) == 0) return ++addresses[slot].count;
  }
}

static int is_one_of(const char *kind, const char *kinds) { return strstr(kinds, kind) != NULL; }

/* What is to be done at this point. Does not return if the process is to die before it. */
static int point(const char *kind, const char *file) {
  int saved = errno, does = NOTHING;
  pthread_mutex_lock(&one_at_a_time);
  char address[PATH_MAX + 64], number[32], line[PATH_MAX + 128];
  points++;
  snprintf(address, sizeof address, "%s %lu %s", kind, ordinal(kind, file), file);
  snprintf(number, sizeof number, "%lu", points);
  int is_it = at && (strcmp(at, address) == 0 || strcmp(at, number) == 0);
  int length = snprintf(line, sizeof line, "%s%d %s %s\n", is_it ? "!" : "", (int)getpid(), number, address);
  if (log_file >= 0) syscall(SYS_write, log_file, line, (size_t)length);
  int needs_space = is_one_of(kind, "create write truncate mkdir link");
  if (is_it && strcmp(deed, "kill") == 0) die();
  if (is_it && strcmp(deed, "after") == 0) does = AFTER;
  if (is_it && strcmp(deed, "tear") == 0) does = TEAR;
  if (is_it && strcmp(deed, "ENOSPC") == 0) does = ENOSPC;
  if (is_it && strcmp(deed, "EIO") == 0) does = EIO;
  if (is_it && strcmp(deed, "full") == 0) is_full = 1;
  if (is_full && needs_space) does = ENOSPC;
  pthread_mutex_unlock(&one_at_a_time);
  errno = saved;
  return does;
}

/* The path below the root, with what differs from run to run (random names, process ids) as a star. */
static int below_root(const char *path, char *file) {
  if (!root_length || strncmp(path, root, root_length) != 0 || path[root_length] != '/') return 0;
  snprintf(file, PATH_MAX, "%s", path + root_length + 1);
  char *folder = strstr(file, "partial/"), *load = strstr(file, ".load-");
  if (folder) strcpy(folder + strlen("partial/"), "*");
  if (load) strcpy(load + strlen(".load-"), "*");
  return 1;
}

static int is_named(int folder, const char *path, char *file) {
  char whole[2 * PATH_MAX], base[PATH_MAX];
  if (path[0] == '/') return below_root(path, file);
  if (folder == AT_FDCWD) {
    if (!getcwd(base, sizeof base)) return 0;
  } else {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
    ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, base, sizeof base - 1);
    if (length < 0) return 0;
    base[length] = 0;
  }
  snprintf(whole, sizeof whole, "%s/%s", base, path);
  return below_root(whole, file);
}

static int is_server(int fd) {
  struct sockaddr_storage peer;
  socklen_t length = sizeof peer;
  if (!port || getpeername(fd, (struct sockaddr *)&peer, &length) != 0) return 0;
  if (peer.ss_family == AF_INET) return ntohs(((struct sockaddr_in *)&peer)->sin_port) == port;
  if (peer.ss_family == AF_INET6) return ntohs(((struct sockaddr_in6 *)&peer)->sin6_port) == port;
  return 0;
}

/* What is to be done at a call on an open file, folder or connection. */
static int at_open(const char *kind, int fd) {
  int saved = errno, does = NOTHING;
  char file[PATH_MAX], link[64], path[PATH_MAX];
  struct stat what;
  if (fstat(fd, &what) != 0) {
    does = NOTHING;
  } else if (S_ISSOCK(what.st_mode)) {
    if (strcmp(kind, "write") == 0 && is_server(fd)) does = point("send", "server");
  } else if (S_ISREG(what.st_mode) || S_ISDIR(what.st_mode)) {
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
    if (length > 0) {
      path[length] = 0;
      if (below_root(path, file)) does = point(kind, file);
    }
  }
  errno = saved;
  return does;
}

static int at_path(const char *kind, int folder, const char *path) {
  char file[PATH_MAX];
  return is_named(folder, path, file) ? point(kind, file) : NOTHING;
}

/* What is already there needs no space to be made. */
static int at_new(const char *kind, int folder, const char *path) {
  struct stat there;
  int does = at_path(kind, folder, path), saved = errno;
  int exists = syscall(SYS_newfstatat, folder, path, &there, AT_SYMLINK_NOFOLLOW) == 0;
  errno = saved;
  return exists && does == ENOSPC ? NOTHING : does;
}

#define CALL(does, call)               \
  do {                                 \
    if ((does) > 0) {                  \
      errno = (does);                  \
      return -1;                       \
    }                                  \
    long result = (call);              \
    if ((does) == AFTER) die();        \
    return result;                     \
  } while (0)

#define WRITE(does, half, call)        \
  do {                                 \
    if ((does) == TEAR) {              \
      (void)!(half);                   \
      die();                           \
    }                                  \
    CALL(does, call);                  \
  } while (0)

static int opened(int folder, const char *path, int flags, mode_t mode) {
  int does = flags & (O_CREAT | O_TRUNC) ? at_new("create", folder, path) : NOTHING;
  CALL(does, syscall(SYS_openat, folder, path, flags, mode));
}

#define MODE(flags, mode)              \
  mode_t mode = 0;                     \
  if ((flags) & (O_CREAT | O_TMPFILE)) { \
    va_list rest;                      \
    va_start(rest, flags);             \
    mode = va_arg(rest, mode_t);       \
    va_end(rest);                      \
  }

int open(const char *path, int flags, ...) { MODE(flags, mode) return opened(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags, mode) return opened(AT_FDCWD, path, flags, mode); }
int openat(int folder, const char *path, int flags, ...) { MODE(flags, mode) return opened(folder, path, flags, mode); }
int openat64(int folder, const char *path, int flags, ...) { MODE(flags, mode) return opened(folder, path, flags, mode); }
int creat(const char *path, mode_t mode) { return opened(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return creat(path, mode); }

ssize_t write(int fd, const void *bytes, size_t n) {
  int does = at_open("write", fd);
  WRITE(does, syscall(SYS_write, fd, bytes, n / 2), syscall(SYS_write, fd, bytes, n));
}
ssize_t pwrite64(int fd, const void *bytes, size_t n, off64_t where) {
  int does = at_open("write", fd);
  WRITE(does, syscall(SYS_pwrite64, fd, bytes, n / 2, where), syscall(SYS_pwrite64, fd, bytes, n, where));
}
ssize_t pwrite(int fd, const void *bytes, size_t n, off_t where) { return pwrite64(fd, bytes, n, where); }
ssize_t writev(int fd, const struct iovec *parts, int n) {
  int does = at_open("write", fd);
  size_t half = n > 0 ? parts[0].iov_len / 2 : 0;
  WRITE(does, syscall(SYS_write, fd, n > 0 ? parts[0].iov_base : "", half), syscall(SYS_writev, fd, parts, n));
}
ssize_t pwritev64(int fd, const struct iovec *parts, int n, off64_t where) {
  int does = at_open("write", fd);
  size_t half = n > 0 ? parts[0].iov_len / 2 : 0;
  WRITE(does, syscall(SYS_pwrite64, fd, n > 0 ? parts[0].iov_base : "", half, where),
        syscall(SYS_pwritev, fd, parts, n, where, 0));
}
ssize_t pwritev(int fd, const struct iovec *parts, int n, off_t where) { return pwritev64(fd, parts, n, where); }
ssize_t sendto(int fd, const void *bytes, size_t n, int flags, const struct sockaddr *to, socklen_t length) {
  int does = at_open("write", fd);
  WRITE(does, syscall(SYS_sendto, fd, bytes, n / 2, flags, to, length), syscall(SYS_sendto, fd, bytes, n, flags, to, length));
}
ssize_t send(int fd, const void *bytes, size_t n, int flags) { return sendto(fd, bytes, n, flags, NULL, 0); }
ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
  int does = at_open("write", fd);
  size_t parts = message->msg_iovlen, half = parts > 0 ? message->msg_iov[0].iov_len / 2 : 0;
  WRITE(does, syscall(SYS_sendto, fd, parts > 0 ? message->msg_iov[0].iov_base : "", half, flags, NULL, 0),
        syscall(SYS_sendmsg, fd, message, flags));
}

int fsync(int fd) { int does = at_open("sync", fd); CALL(does, syscall(SYS_fsync, fd)); }
int fdatasync(int fd) { int does = at_open("sync", fd); CALL(does, syscall(SYS_fdatasync, fd)); }
int ftruncate64(int fd, off64_t length) { int does = at_open("truncate", fd); CALL(does, syscall(SYS_ftruncate, fd, length)); }
int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }
int fallocate64(int fd, int mode, off64_t where, off64_t length) {
  int does = at_open("truncate", fd);
  CALL(does, syscall(SYS_fallocate, fd, mode, where, length));
}
int fallocate(int fd, int mode, off_t where, off_t length) { return fallocate64(fd, mode, where, length); }
int fchmod(int fd, mode_t mode) { int does = at_open("chmod", fd); CALL(does, syscall(SYS_fchmod, fd, mode)); }
int chmod(const char *path, mode_t mode) {
  int does = at_path("chmod", AT_FDCWD, path);
  CALL(does, syscall(SYS_fchmodat, AT_FDCWD, path, mode));
}
int fchown(int fd, uid_t user, gid_t group) {
  int does = at_open("chown", fd);
  CALL(does, syscall(SYS_fchown, fd, user, group));
}
int chown(const char *path, uid_t user, gid_t group) {
  int does = at_path("chown", AT_FDCWD, path);
  CALL(does, syscall(SYS_fchownat, AT_FDCWD, path, user, group, 0));
}
int renameat(int from, const char *old, int to, const char *new) {
  int does = at_path("rename", to, new);
  CALL(does, syscall(SYS_renameat, from, old, to, new));
}
int rename(const char *old, const char *new) { return renameat(AT_FDCWD, old, AT_FDCWD, new); }
int unlinkat(int folder, const char *path, int flags) {
  int does = at_path("unlink", folder, path);
  CALL(does, syscall(SYS_unlinkat, folder, path, flags));
}
int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }
int mkdirat(int folder, const char *path, mode_t mode) {
  int does = at_new("mkdir", folder, path);
  CALL(does, syscall(SYS_mkdirat, folder, path, mode));
}
int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }
int linkat(int from, const char *old, int to, const char *new, int flags) {
  int does = at_new("link", to, new);
  CALL(does, syscall(SYS_linkat, from, old, to, new, flags));
}
int link(const char *old, const char *new) { return linkat(AT_FDCWD, old, AT_FDCWD, new, 0); }

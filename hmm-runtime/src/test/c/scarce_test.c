// scarce_test.c - host memory that cannot be had: whoever wanted it gets an error, nobody dies of it, and every page is
// where it was.
//
// Once with a file system that is full, which is the whole truth but needs the right to mount one; once with the system
// calls that ask for memory failing.
#define _GNU_SOURCE
#include "heap.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGES 48
#define ROOM 16 // pages of memory that there are

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

// ---- system calls that fail: these two stand before those of the C library

static _Atomic bool refuse;
static _Atomic int refused;

int fallocate(int fd, int mode, off_t offset, off_t bytes) {
  if (!mode && refuse) {
    refused++;
    errno = refused % 2 ? ENOMEM : ENOSPC; // both are heard of
    return -1;
  }
  return (int)syscall(SYS_fallocate, fd, mode, offset, bytes);
}

int madvise(void *at, size_t bytes, int advice) {
  if (advice == MADV_POPULATE_WRITE && refuse) {
    errno = EFAULT;
    return -1;
  }
  return (int)syscall(SYS_madvise, at, bytes, advice);
}

// ---- a file system that is full

static void send_file(int socket, int fd) {
  char data = 1, room[CMSG_SPACE(sizeof fd)] = {0};
  struct iovec byte = {&data, 1};
  struct msghdr message = {.msg_iov = &byte, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
  struct cmsghdr *c = CMSG_FIRSTHDR(&message);
  c->cmsg_level = SOL_SOCKET;
  c->cmsg_type = SCM_RIGHTS;
  c->cmsg_len = CMSG_LEN(sizeof fd);
  memcpy(CMSG_DATA(c), &fd, sizeof fd);
  if (sendmsg(socket, &message, 0) != 1) _exit(1);
}

static int receive_file(int socket) {
  int fd = -1;
  char data, room[CMSG_SPACE(sizeof fd)];
  struct iovec byte = {&data, 1};
  struct msghdr message = {.msg_iov = &byte, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
  if (recvmsg(socket, &message, 0) != 1) return -1;
  if (CMSG_FIRSTHDR(&message)) memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
  return fd;
}

// The root of a file system with little room; -1 if we may not mount one. The mount is a child's, seen by nobody else,
// and stays as long as this is open.
static int little_room(void) {
  int sockets[2];
  CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
  pid_t child = fork();
  CHECK(child >= 0);
  if (!child) {
    char options[40];
    snprintf(options, sizeof options, "size=%zu", ROOM * PAGE);
    close(sockets[0]);
    if (unshare(CLONE_NEWNS) && unshare(CLONE_NEWUSER | CLONE_NEWNS)) _exit(1);
    if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) || mount("none", "/tmp", "tmpfs", 0, options)) _exit(1);
    int fd = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) _exit(1);
    send_file(sockets[1], fd);
    _exit(0);
  }
  close(sockets[1]);
  int fd = receive_file(sockets[0]);
  close(sockets[0]);
  CHECK_EQUAL(waitpid(child, NULL, 0), child);
  return fd;
}

// ---- the tests

// Two heaps: in one the memory ends after ROOM pages, in the other when it is told to.
enum how { FULL, REFUSED, HOWS };

static struct heap *open_scarce(const struct shape *shape, enum how how, uint64_t ahead_pages) {
  static int room = -2;
  if (how == REFUSED) return open_heap(shape, PAGES, ahead_pages);
  if (room == -2) room = little_room();
  if (room < 0) return NULL;
  int fd = openat(room, "memory", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  CHECK(fd >= 0 && !unlinkat(room, "memory", 0)); // gone when the heap closes it
  return open_heap_in(fd, shape, PAGES, ahead_pages);
}

static void use_up(struct heap *h, enum how how) {
  if (how == REFUSED) refuse = true;
  else CHECK(!fallocate(h->memfd, 0, (PAGES - ROOM) * (off_t)PAGE, ROOM * (off_t)PAGE));
}

static void make_room(struct heap *h, enum how how) {
  if (how == REFUSED) refuse = false;
  else CHECK(!fallocate(h->memfd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (PAGES - ROOM) * (off_t)PAGE, ROOM * (off_t)PAGE));
}

// As a kernel leaves it that was the first to write it.
static void only_on_device(struct heap *h, uint64_t page, unsigned device, unsigned char value) {
  set_word(h, page, word_next(word(h, page), DEVICE, device, 0, 0));
  fill_frame(h, device, page, value);
}

static void is_error(struct heap *h, uint64_t page, bool write) {
  unsigned char value;
  CHECK(write ? touch_write(h, page, 1) : touch_read(h, page, &value));
}

static void a_touch_without_memory_is_an_error(const struct shape *shape) {
  for (enum how how = FULL; how < HOWS; how++) {
    for (uint64_t ahead = 1; ahead <= 8; ahead *= 8) {
      struct heap *h = open_scarce(shape, how, ahead);
      if (!h) continue;
      for (uint64_t page = 0; page < 8; page++) only_on_device(h, page, page / 4 % 2, (unsigned char)(page + 1));
      use_up(h, how);
      for (int round = 0; round < 2; round++) {
        for (uint64_t page = 0; page < 8; page++) {
          is_error(h, page, page % 2);
          CHECK_EQUAL(state(h, page), DEVICE);
        }
        is_error(h, 10, false);
        CHECK_EQUAL(state(h, 10), EMPTY);
        if (how == FULL) is_error(h, 11, true); // the rungs ask in different ways
      }
      make_room(h, how);
      for (uint64_t page = 0; page < 8; page++) expect(h, page, (unsigned char)(page + 1));
      for (uint64_t page = 0; page < 8; page++) put(h, page, (unsigned char)(page + 2));
      for (uint64_t page = 0; page < 8; page++) expect(h, page, (unsigned char)(page + 2));
      for (uint64_t page = 10; page < 12; page++) {
        expect(h, page, 0);
        put(h, page, 9);
      }
      close_heap(h);
    }
  }
}

// Touches go on until there is no more; what was written before stays, and what fails is as good as never touched.
static void first_touches_fill_what_there_is(const struct shape *shape) {
  for (uint64_t ahead = 1; ahead <= 8; ahead *= 8) {
    struct heap *h = open_scarce(shape, FULL, ahead);
    if (!h) return;
    uint64_t written = 0;
    while (!touch_write(h, written, (unsigned char)(written + 1))) written++;
    CHECK_EQUAL(written, ROOM);
    for (uint64_t page = 0; page < PAGES; page++) {
      if (page < written) expect(h, page, (unsigned char)(page + 1));
      else is_error(h, page, page % 2);
    }
    CHECK_EQUAL(hmm_discard(h->pager, 0, 4, NULL), 0);
    for (uint64_t page = written; page < written + 4; page++) {
      expect(h, page, 0);
      put(h, page, (unsigned char)(page + 1));
    }
    for (uint64_t page = 4; page < written + 4; page++) expect(h, page, (unsigned char)(page + 1));
    close_heap(h);
  }
}

static void a_fetch_without_memory_changes_nothing(const struct shape *shape) {
  for (enum how how = FULL; how < HOWS; how++) {
    for (uint64_t flags = 0; flags < 8; flags++) {
      struct heap *h = open_scarce(shape, how, 1);
      if (!h) continue;
      struct hmm_failure failure = {0};
      put(h, 0, 1);
      for (uint64_t page = 1; page < 8; page++) only_on_device(h, page, 0, (unsigned char)(page + 1));
      if (how == FULL) CHECK(!fallocate(h->memfd, 0, (PAGES - ROOM + 1) * (off_t)PAGE, (ROOM - 1) * (off_t)PAGE));
      else use_up(h, how);
      CHECK_EQUAL(hmm_fetch(h->pager, 0, 8, flags, NULL, NULL, &failure), -ENOSPC);
      CHECK(failure.reason == HMM_SYSTEM && failure.status == ENOSPC);
      CHECK(failure.page < 8);
      for (uint64_t page = 0; page < 8; page++) {
        CHECK_EQUAL(state(h, page), page ? DEVICE : HOST);
        CHECK_EQUAL(word_pins(word(h, page), true) + word_pins(word(h, page), false), 0);
      }
      bool takes = flags & HMM_MAP ? how == FULL : flags & HMM_EXCLUSIVE; // memory for pages that nobody has touched
      if (flags & HMM_PIN && takes) {
        CHECK_EQUAL(hmm_fetch(h->pager, 10, 12, flags, NULL, NULL, &failure), -ENOSPC);
        CHECK_EQUAL(failure.status, ENOSPC);
        CHECK_EQUAL(state(h, 10), EMPTY);
        CHECK_EQUAL(word_pins(word(h, 10), flags & HMM_EXCLUSIVE), 0);
      }
      make_room(h, how);
      CHECK_EQUAL(fetch(h, 0, 12, flags), 0);
      for (uint64_t page = 0; page < 8; page++) CHECK_EQUAL(h->alias[page * PAGE + MIDDLE], page + 1);
      for (uint64_t page = 0; page < 12 && flags & HMM_PIN; page++) unpin(h, page, flags & HMM_EXCLUSIVE);
      for (uint64_t page = 0; page < 12; page++) expect(h, page, page < 8 ? (unsigned char)(page + 1) : 0);
      close_heap(h);
    }
  }
}

// Bytes go from device to device without the host, which needs no memory for them; where they cannot, the launch says what is missing.
static void from_device_to_device_without_memory(const struct shape *shape) {
  for (enum how how = FULL; how < HOWS; how++) {
    struct heap *h = open_scarce(shape, how, 1);
    if (!h) continue;
    for (uint64_t page = 0; page < 8; page++) only_on_device(h, page, 1, (unsigned char)(page + 1));
    use_up(h, how);
    struct launching l = {.request.insist = 1};
    if (shape->way == COMMANDS) {
      CHECK_EQUAL(launch(h, &l, 0, 0, 4, true), -ENOSPC);
      CHECK(l.failure.reason == HMM_SYSTEM && l.failure.status == ENOSPC && !l.failure.page);
      CHECK(!l.request.event);
      for (uint64_t page = 0; page < 4; page++) CHECK(word_device(word(h, page)) == 1 && state(h, page) == DEVICE);
      make_room(h, how);
    } else {
      CHECK_EQUAL(cross(h, 4, 8, 0, false), 4);
    }
    CHECK_EQUAL(launch(h, &l, 0, 0, 4, true), 0);
    CHECK_EQUAL(fake_wait((void *)(uintptr_t)l.request.event), 0);
    CHECK_EQUAL(l.request.moved, 4);
    if (shape->way != COMMANDS) make_room(h, how);
    for (uint64_t page = 0; page < 8; page++) expect(h, page, (unsigned char)(page + 1));
    close_heap(h);
  }
}

const struct test scarce_tests[] = {
    {"a_touch_without_memory_is_an_error", a_touch_without_memory_is_an_error, NEEDS_TRAP},
    {"first_touches_fill_what_there_is", first_touches_fill_what_there_is, ONE_WAY},
    {"a_fetch_without_memory_changes_nothing", a_fetch_without_memory_changes_nothing, NEEDS_TRAP},
    {"from_device_to_device_without_memory", from_device_to_device_without_memory, 0},
    {0},
};

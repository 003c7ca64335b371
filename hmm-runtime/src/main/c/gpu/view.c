// view.c - the host's side of buffers. It is in step with the device's memory only at maps, unmaps and transfers; what
// is ours of it is two mappings of one file: the program's, which can be touched while it is mapped, and one for the
// DMA engine, which may read after the program has unmapped.
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gpu.h"

#define PAGE 4096UL

static struct memory *hosted;

void note_hosted(struct memory *root) {
  root->next_hosted = hosted;
  hosted = root;
}

void forget_hosted(struct memory *root) {
  struct memory **at = &hosted;
  while (*at != root)
    at = &(*at)->next_hosted;
  *at = root->next_hosted;
}

int unmapped_protection(void) { return options.watch ? PROT_NONE : PROT_READ | PROT_WRITE; }

bool give_host(struct memory *root) {
  if (root->host) return true;
  int file = new_file(root->room);
  if (file < 0) return false;
  char *host = mmap(NULL, root->room, unmapped_protection(), MAP_SHARED, file, 0);
  char *shadow = mmap(NULL, root->room, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (host != MAP_FAILED && shadow != MAP_FAILED && watch_memory(host, root->room, "a buffer", root->bytes, root->context)) {
    root->host = host;
    root->shadow = shadow;
    root->own_host = true;
    populate(shadow, root->room);
    if (!options.watch) populate(host, root->room);
    note_hosted(root);
    return true;
  }
  if (host != MAP_FAILED) munmap(host, root->room);
  if (shadow != MAP_FAILED) munmap(shadow, root->room);
  return false;
}

static int protection_at(const struct memory *root, size_t page) {
  int protection = PROT_NONE;
  for (const struct mapping *m = root->mappings; m; m = m->next) {
    if (!m->open || m->end <= page || m->first >= page + PAGE) continue;
    protection |= m->flags & (CL_MAP_WRITE | CL_MAP_WRITE_INVALIDATE_REGION) ? PROT_READ | PROT_WRITE : PROT_READ;
  }
  return protection;
}

// Page by page, since others may be mapped beside it, and must not be closed for a moment.
void set_view(struct memory *root, const struct mapping *m) {
  if (!root->own_host || !options.watch) return;
  size_t end = (m->end + PAGE - 1) & ~(PAGE - 1);
  for (size_t at = m->first & ~(PAGE - 1); at < end;) {
    size_t first = at;
    int protection = protection_at(root, at);
    bool alone = !root->mappings || (root->mappings == m && !m->next);
    do {
      at += PAGE;
    } while (at < end && (alone || protection_at(root, at) == protection));
    mprotect(root->host + first, at - first, protection);
  }
}

void free_mapping(struct mapping **list, struct mapping *m) {
  while (*list != m)
    list = &(*list)->next;
  *list = m->next;
  free(m);
}

void check_mapped(const struct doer *by, const struct memory *m, size_t offset, size_t bytes, bool write) {
  size_t first = m->origin + offset, end = first + bytes;
  for (const struct mapping *each = m->root->mappings; each; each = each->next) {
    bool written = each->flags & (CL_MAP_WRITE | CL_MAP_WRITE_INVALIDATE_REGION);
    if (each->end <= first || end <= each->first || !(written || write)) continue;
    char text[DOER];
    offend("use of a mapped buffer", "%s uses bytes [%zu, %zu) of buffer %p, of which [%zu, %zu) is mapped%s", name_doer(by, text), first, end,
           m->root->object.handle, each->first, each->end, written ? " for writing" : "");
    return;
  }
}

struct memory *pinned_at(const struct doer *by, const void *host, size_t bytes) {
  const char *at = host;
  struct memory *root = hosted;
  while (root && (at < root->host || at >= root->host + root->room))
    root = root->next_hosted;
  if (!root) return NULL;
  size_t first = (size_t)(at - root->host);
  for (const struct mapping *m = root->mappings; m; m = m->next) {
    if (first >= m->first && first + bytes <= m->end) return root;
  }
  char text[DOER];
  offend("host access while unmapped", "%s transfers to or from host memory of buffer %p that is not mapped", name_doer(by, text), root->object.handle);
  return root;
}

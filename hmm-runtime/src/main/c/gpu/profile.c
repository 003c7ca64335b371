// profile.c - what is emulated: five kinds of device as data, and the options that a program is tried with.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpu.h"

#define GIB (1ULL << 30)

// README.md has the sources.
const struct profile profiles[] = {
    {.name = "nvidia",
     .after = "a discrete GPU of NVIDIA",
     .alignment_bytes = 512,
     .work_group = 1024,
     .quarter = true,
     .late_shortage = true,
     .pageable_blocks = true,
     .svm = true,
     .after_loss = CL_INVALID_COMMAND_QUEUE,
     .engine_of = {COMPUTE, TO_DEVICE, TO_HOST, FRONT}},
    {.name = "rocm",
     .after = "a discrete GPU of AMD under ROCm",
     .alignment_bytes = 256,
     .work_group = 256,
     .pageable_blocks = true,
     .allocated_in_place = true,
     .svm = true,
     .after_loss = CL_OUT_OF_RESOURCES,
     .engine_of = {COMPUTE, TO_DEVICE, TO_HOST, FRONT}},
    {.name = "arc",
     .after = "a discrete GPU of Intel",
     .alignment_bytes = 128,
     .work_group = 1024,
     .late_shortage = true,
     .larger_on_request = true,
     .svm = true,
     .after_loss = CL_OUT_OF_RESOURCES,
     .engine_of = {COMPUTE, TO_DEVICE, TO_DEVICE, FRONT}},
    {.name = "igpu",
     .after = "an integrated GPU of Intel",
     .alignment_bytes = 128,
     .work_group = 256,
     .unified = true,
     .allocated_in_place = true,
     .used_in_place = true,
     .larger_on_request = true,
     .svm = true,
     .after_loss = CL_OUT_OF_RESOURCES,
     .engine_of = {COMPUTE, COMPUTE, COMPUTE, FRONT}},
    {.name = "mali",
     .after = "an integrated GPU of Arm",
     .alignment_bytes = 128,
     .work_group = 512,
     .unified = true,
     .quarter = true,
     .allocated_in_place = true,
     .after_loss = CL_OUT_OF_RESOURCES,
     .engine_of = {COMPUTE, COMPUTE, COMPUTE, FRONT}},
};
const unsigned profile_count = sizeof profiles / sizeof *profiles;
struct options options;
static uint64_t random_state;

// 2G, 1.5G, 64M, 512K or bytes; `rest` is what follows.
static bool parse_bytes(const char *text, double *bytes, const char **rest) {
  char *end;
  *bytes = strtod(text, &end);
  if (end == text || !isfinite(*bytes) || *bytes <= 0) return false;
  switch (*end) {
    case 'K':
      *bytes *= 1024;
      end++;
      break;
    case 'M':
      *bytes *= 1024 * 1024;
      end++;
      break;
    case 'G':
      *bytes *= 1024.0 * 1024 * 1024;
      end++;
      break;
    case 'T':
      *bytes *= 1024.0 * 1024 * 1024 * 1024;
      end++;
      break;
    default: break;
  }
  *rest = end;
  return *bytes < 1e15;
}

static bool parse_size(const char *text, uint64_t *bytes) {
  double value;
  const char *rest;
  if (!parse_bytes(text, &value, &rest) || *rest) return false;
  *bytes = (uint64_t)value;
  return *bytes > 0;
}

static bool parse_speed(const char *text, double *speed) {
  const char *rest;
  return parse_bytes(text, speed, &rest) && !strcmp(rest, "/s");
}

static bool parse_time(const char *text, uint64_t *nanos) {
  char *end;
  double value = strtod(text, &end);
  double unit = !strcmp(end, "ns")   ? 1
                : !strcmp(end, "us") ? 1e3
                : !strcmp(end, "ms") ? 1e6
                : !strcmp(end, "s")  ? 1e9
                                     : 0;
  if (end == text || !(value >= 0) || !(unit > 0) || value * unit > 1e12) return false;
  *nanos = (uint64_t)(value * unit);
  return true;
}

static bool parse_number(const char *text, uint64_t *number) {
  char *end;
  if (*text < '0' || *text > '9') return false;
  *number = strtoull(text, &end, 10);
  return !*end;
}

static bool parse_at(const char *text, struct at_command *at) { // -4@120
  char *end;
  long status = strtol(text, &end, 10);
  if (end == text || *end != '@' || status >= 0 || status < -2000) return false;
  at->status = (cl_int)status;
  return parse_number(end + 1, &at->command) && at->command;
}

// Each kind comes with those before it.
static bool parse_svm(const char *text, cl_bitfield *kinds) {
  static const char *const names[] = {"none", "coarse", "fine", "system"};
  for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
    if (strcmp(text, names[i])) continue;
    *kinds = (1u << i) - 1;
    return true;
  }
  return false;
}

static bool parse_option(struct options *o, const char *key, const char *value) {
  if (!strcmp(key, "memory")) return parse_size(value, &o->memory_bytes);
  if (!strcmp(key, "allocation")) return parse_size(value, &o->allocation_bytes);
  if (!strcmp(key, "kernel")) return parse_size(value, &o->kernel_bytes);
  if (!strcmp(key, "h2d")) return parse_speed(value, &o->to_device);
  if (!strcmp(key, "d2h")) return parse_speed(value, &o->to_host);
  if (!strcmp(key, "d2d")) return parse_speed(value, &o->within);
  if (!strcmp(key, "latency")) return parse_time(value, &o->latency_nanos);
  if (!strcmp(key, "seed")) return parse_number(value, &o->seed);
  if (!strcmp(key, "fail")) return parse_at(value, &o->fail);
  if (!strcmp(key, "fail-event")) return parse_at(value, &o->fail_event);
  if (!strcmp(key, "lose")) return parse_number(value, &o->lose_at) && o->lose_at;
  if (!strcmp(key, "svm")) return parse_svm(value, &o->svm);
  if (!strcmp(key, "offences")) {
    o->offences = !strcmp(value, "report") ? REPORT : ABORT;
    return o->offences == REPORT || !strcmp(value, "abort");
  }
  if (!strcmp(key, "leaks")) {
    o->leaks = !strcmp(value, "tell");
    return o->leaks || !strcmp(value, "ignore");
  }
  if (!strcmp(key, "watch")) {
    o->watch = !strcmp(value, "on");
    return o->watch || !strcmp(value, "off");
  }
  if (!strcmp(key, "callbacks")) {
    o->callbacks = !strcmp(value, "lost") ? LOST : !strcmp(value, "never") ? NEVER : LATE;
    return o->callbacks != LATE || !strcmp(value, "late");
  }
  return false;
}

bool parse_options(const char *text, struct options *result, char *error, size_t error_bytes) {
  struct options o = {.profile = profiles, .memory_bytes = 2 * GIB, .leaks = true, .watch = true};
  char copy[512];
  if (snprintf(copy, sizeof copy, "%s", text ? text : profiles[0].name) >= (int)sizeof copy) {
    snprintf(error, error_bytes, "is too long");
    return false;
  }
  char *rest = strchr(copy, ':');
  if (rest) *rest++ = 0;
  o.profile = NULL;
  for (unsigned i = 0; i < profile_count; i++) {
    if (!strcmp(profiles[i].name, copy)) o.profile = &profiles[i];
  }
  if (!o.profile) {
    snprintf(error, error_bytes, "names no profile: '%s' is none of nvidia, rocm, arc, igpu, mali", copy);
    return false;
  }
  o.svm = o.profile->svm ? CL_DEVICE_SVM_COARSE_GRAIN_BUFFER : 0;
  for (char *save = NULL, *one = rest ? strtok_r(rest, ",", &save) : NULL; one; one = strtok_r(NULL, ",", &save)) {
    char *value = strchr(one, '=');
    if (value) *value++ = 0;
    if (!value || !parse_option(&o, one, value)) {
      snprintf(error, error_bytes, "has an option that is not understood: '%s%s%s'", one, value ? "=" : "",
               value ? value : "");
      return false;
    }
  }
  if (!o.allocation_bytes) {
    o.allocation_bytes = o.profile->quarter ? o.memory_bytes / 4 : 4 * GIB;
    if (o.allocation_bytes > o.memory_bytes) o.allocation_bytes = o.memory_bytes;
  }
  if (o.allocation_bytes > o.memory_bytes) {
    snprintf(error, error_bytes, "has one allocation that is larger than the memory");
    return false;
  }
  *result = o;
  random_state = o.seed;
  return true;
}

uint64_t next_random(void) { // splitmix64
  uint64_t z = random_state += 0x9E3779B97F4A7C15u;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
  z = (z ^ z >> 27) * 0x94D049BB133111EBu;
  return z ^ z >> 31;
}

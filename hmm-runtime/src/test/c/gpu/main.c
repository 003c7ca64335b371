// main.c - runs small OpenCL programs, each in a process of its own, with the emulated GPU and without, and looks at
// how they end.
//
// gpu-test LAYER        all of them; LAYER is the library
// gpu-test LAYER NAME   on one profile only, once each
// gpu-test -p NAME      one, in this process
// Exit status: 0 all as expected; 1 not; 4 there is no OpenCL device
#define _GNU_SOURCE
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "program.h"

#define PATIENCE "60" // seconds; a program that hangs is ended

static const char *self, *layer;
static const char *only; // this profile; null: all
static int failures, runs;
static const char *const profile_names[] = {"nvidia", "rocm", "arc", "igpu", "mali"};

struct outcome {
  int status;
  char out[8192], err[8192];
};

static void read_all(FILE *file, char *text, size_t room) {
  rewind(file);
  text[fread(text, 1, room - 1, file)] = 0;
  fclose(file);
}

// `setting` is the value of HMM_EMULATED_GPU; null: without the layer.
static struct outcome run(const char *name, const char *setting) {
  FILE *out = tmpfile(), *err = tmpfile();
  CHECK(out && err);
  pid_t child = fork();
  CHECK(child >= 0);
  if (!child) {
    dup2(fileno(out), 1);
    dup2(fileno(err), 2);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    if (setting) {
      setenv("HMM_EMULATED_GPU", setting, 1);
      setenv("OPENCL_LAYERS", layer, 1);
    } else {
      unsetenv("OPENCL_LAYERS");
    }
    execlp("timeout", "timeout", "--signal=KILL", PATIENCE, self, "-p", name, (char *)NULL);
    _exit(127);
  }
  struct outcome o = {0};
  CHECK(waitpid(child, &o.status, 0) == child);
  read_all(out, o.out, sizeof o.out);
  read_all(err, o.err, sizeof o.err);
  runs++;
  return o;
}

static void expect(bool holds, const char *name, const char *setting, const struct outcome *o) {
  if (holds) return;
  failures++;
  printf("FAILED %s with %s: status 0x%x\n%s%s\n", name, setting ? setting : "no layer", (unsigned)o->status, o->out,
         o->err);
}

static bool ended_well(const struct outcome *o) { return WIFEXITED(o->status) && WEXITSTATUS(o->status) == 0; }

// timeout(1) ends itself with the signal, or says 128 + it.
static bool aborted(const struct outcome *o) {
  return (WIFSIGNALED(o->status) && WTERMSIG(o->status) == SIGABRT) ||
         (WIFEXITED(o->status) && WEXITSTATUS(o->status) == 128 + SIGABRT);
}

static void setting_of(char *setting, size_t room, const char *profile, const struct program *p) {
  snprintf(setting, room, "%s%s", profile, p->options ? p->options : "");
}

static void run_one(const struct program *p, const char *profile, const char *same) {
  char setting[256], line[256];
  setting_of(setting, sizeof setting, profile, p);
  struct outcome o = run(p->name, setting);
  if (p->offence) {
    snprintf(line, sizeof line, "hmm-emulated-gpu: offence: %s: ", p->offence);
    const char *found = strstr(o.err, line);
    expect(aborted(&o) && found && !strstr(found + strlen(line), "offence:") && (!p->says || strstr(found, p->says)), p->name, setting, &o);
  } else {
    expect(ended_well(&o) && (!same || !strcmp(o.out, same)), p->name, setting, &o);
    if (strstr(o.err, "asked")) printf("%s", o.err);
  }
}

static void run_all(const struct program *programs, bool compare) {
  for (const struct program *p = programs; p->name; p++) {
    struct outcome bare = {0};
    if (compare) {
      bare = run(p->name, NULL);
      expect(ended_well(&bare), p->name, NULL, &bare);
    }
    for (size_t i = 0; i < sizeof profile_names / sizeof *profile_names; i++) {
      if (only && strcmp(only, profile_names[i])) continue;
      if (!p->profile || !strcmp(p->profile, profile_names[i])) run_one(p, profile_names[i], compare ? bare.out : NULL);
    }
  }
}

// Clean programs again, with time and chance.
static void run_seeds(void) {
  static const char *const settings[] = {"nvidia:seed=1", "nvidia:seed=7,latency=20us,h2d=2G/s,d2h=2G/s,d2d=20G/s",
                                         "igpu:seed=3,latency=5us"};
  for (const struct program *p = clean_programs; p->name; p++) {
    struct outcome bare = run(p->name, NULL);
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
      struct outcome o = run(p->name, settings[i]);
      expect(ended_well(&o) && !strcmp(o.out, bare.out), p->name, settings[i], &o);
    }
  }
}

static void run_bad_options(void) {
  static const char *const bad[] = {"nvida",
                                    "nvidia:memory=2X",
                                    "nvidia:memory",
                                    "nvidia:speed=1",
                                    "nvidia:h2d=2G",
                                    "nvidia:latency=5",
                                    "nvidia:fail=4@1",
                                    "nvidia:fail=-4",
                                    "nvidia:memory=1G,allocation=2G",
                                    "nvidia:offences=none",
                                    "nvidia:seed=x",
                                    "nvidia:svm=all",
                                    ""};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct outcome o = run("says-who-it-is", bad[i]);
    expect(WIFEXITED(o.status) && WEXITSTATUS(o.status) == 2 && strstr(o.err, "hmm-emulated-gpu: HMM_EMULATED_GPU="),
           "bad options", bad[i], &o);
  }
}

static const struct program *find(const char *name) {
  const struct program *const lists[] = {clean_programs, offending_programs, behaviour_programs, reined_programs, clean_paging, offending_paging};
  for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
    for (const struct program *p = lists[i]; p->name; p++) {
      if (!strcmp(p->name, name)) return p;
    }
  }
  return NULL;
}

static bool has_device(void) {
  cl_platform_id platform;
  cl_uint count = 0;
  return !clGetPlatformIDs(1, &platform, NULL) && !clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 0, NULL, &count) &&
         count;
}

int main(int argc, char **argv) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (argc == 3 && !strcmp(argv[1], "-p")) {
    const struct program *p = find(argv[2]);
    CHECK(p);
    p->run();
    return 0;
  }
  CHECK(argc == 2 || argc == 3);
  if (!has_device()) return 4;
  self = argv[0];
  layer = argv[1];
  only = argv[2];
  run_all(clean_programs, true);
  run_all(offending_programs, false);
  run_all(clean_paging, true);
  run_all(offending_paging, false);
  run_all(behaviour_programs, false);
  run_all(reined_programs, false);
  if (!only) run_seeds();
  if (!only) run_bad_options();
  printf("%d programs run, %d failures\n", runs, failures);
  return failures ? 1 : 0;
}

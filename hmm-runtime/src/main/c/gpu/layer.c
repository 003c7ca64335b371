// layer.c - how an OpenCL loader finds us: it loads the libraries that OPENCL_LAYERS names, and gives each the table of
// what lies below it.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpu.h"

#define SETTING "HMM_EMULATED_GPU"

void *driver[FUNCTIONS];
static void *layer[FUNCTIONS];

static const struct named {
  const char *name;
  enum function index;
  void *function;
} named[] = {
#define NAMED(name) {#name, INDEX_##name, (void *)gpu_##name},
    LAYERED_FUNCTIONS(NAMED)
#undef NAMED
};

void *layered_function(const char *name) {
  for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
    if (!strcmp(named[i].name, name)) return named[i].function;
  }
  return NULL;
}

VISIBLE cl_int clGetLayerInfo(cl_uint name, size_t room, void *out, size_t *needed) {
  cl_uint version = CL_LAYER_API_VERSION_100;
  const char text[] = "hmm4j emulated GPU";
  switch (name) {
    case CL_LAYER_API_VERSION: return answer(&version, sizeof version, room, out, needed);
    case CL_LAYER_NAME: return answer(text, sizeof text, room, out, needed);
    default: return CL_INVALID_VALUE;
  }
}

// A loader passes over a layer that fails, and the program would run on the bare driver, believing that it is tried on
// a GPU: so the process ends.
VISIBLE cl_int clInitLayer(cl_uint count, void *const *below, cl_uint *our_count, void *const **ours) {
  char error[300];
  if (!below || !our_count || !ours || count < FUNCTIONS) {
    fprintf(stderr, "hmm-emulated-gpu: this OpenCL loader has a table of %u functions, fewer than OpenCL 3.0\n", count);
    exit(2);
  }
  if (!parse_options(getenv(SETTING), &options, error, sizeof error)) {
    fprintf(stderr, "hmm-emulated-gpu: " SETTING "=%s %s\n", getenv(SETTING), error);
    exit(2);
  }
  memcpy(driver, below, sizeof driver);
  rein_by_options();
  for (size_t i = 0; i < sizeof named / sizeof *named; i++)
    layer[named[i].index] = named[i].function;
  if (options.leaks) atexit(tell_leaks);
  *our_count = FUNCTIONS;
  *ours = layer;
  return CL_SUCCESS;
}

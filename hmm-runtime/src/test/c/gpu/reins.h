// reins.h - what holds, fails and loses the device that a program runs on (src/main/c/gpu/reins.c), found in the layer that the loader has taken.
#ifndef HMM_GPU_REINS_H
#define HMM_GPU_REINS_H

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

struct device;
enum rein_call { CREATE_BUFFER, READ = 4, WRITE, COPY, FILL, LAUNCH, MAP, UNMAP };

#define REIN(result, name, ...) ((result(*)(__VA_ARGS__))rein_function("hmm_gpu_" #name))
static inline void *rein_function(const char *name) {
  void *layer = dlopen(getenv("OPENCL_LAYERS"), RTLD_NOW), *at = layer ? dlsym(layer, name) : NULL;
  if (at) return at;
  fprintf(stderr, "the emulated GPU has no %s\n", name);
  exit(1);
}

#endif

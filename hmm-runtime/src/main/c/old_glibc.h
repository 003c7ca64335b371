// old_glibc.h - binds functions that glibc 2.32 and 2.34 moved and gave a new version to their old one, so that a
// library built on a new system loads on an old one, too:
// glibc 2.17 has all that is left. The functions are the same. build.sh puts this before every source; it must include nothing, since they define _GNU_SOURCE.
#if defined(__x86_64__) && __has_include(<gnu/libc-version.h>)
__asm__(".symver dlopen,dlopen@GLIBC_2.2.5");
__asm__(".symver dlsym,dlsym@GLIBC_2.2.5");
__asm__(".symver pthread_attr_setstacksize,pthread_attr_setstacksize@GLIBC_2.2.5");
__asm__(".symver pthread_create,pthread_create@GLIBC_2.2.5");
__asm__(".symver pthread_detach,pthread_detach@GLIBC_2.2.5");
__asm__(".symver pthread_join,pthread_join@GLIBC_2.2.5");
__asm__(".symver pthread_once,pthread_once@GLIBC_2.2.5");
__asm__(".symver pthread_mutex_trylock,pthread_mutex_trylock@GLIBC_2.2.5");
__asm__(".symver pthread_sigmask,pthread_sigmask@GLIBC_2.2.5");
#endif

#include "check.h"
const struct test launch_tests[] = {{0}};

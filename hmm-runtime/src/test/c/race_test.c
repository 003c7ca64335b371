#include "check.h"
const struct test race_tests[] = {{0}};

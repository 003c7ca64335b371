#include "check.h"
const struct test close_tests[] = {{0}};

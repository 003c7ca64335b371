#include "check.h"
const struct test error_tests[] = {{0}};

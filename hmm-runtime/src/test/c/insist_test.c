#include "check.h"
const struct test insist_tests[] = {{0}};

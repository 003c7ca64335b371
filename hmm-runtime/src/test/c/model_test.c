#include "check.h"
const struct test model_tests[] = {{0}};

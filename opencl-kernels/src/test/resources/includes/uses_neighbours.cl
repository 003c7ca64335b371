#include "deep/first.clh"

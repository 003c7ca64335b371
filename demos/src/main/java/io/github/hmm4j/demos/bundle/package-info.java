/// What packs the bundle and is easier said in Java than in the shell; `demos/launcher/bundle.sh` uses it.
@NullMarked
package io.github.hmm4j.demos.bundle;

import org.jspecify.annotations.NullMarked;

/// Policy: views of facts in, hints out. Nothing here moves a page, and a policy that fails only stops giving hints.
@NullMarked
package io.github.hmm4j.policy;

import org.jspecify.annotations.NullMarked;

/// The façade: what a program that uses a managed heap sees.
///
/// What else is API, here and in other packages, is listed in `hmm-runtime/docs/api.md`; what that does not name is internal and changes without a word.
@NullMarked
package io.github.hmm4j;

import org.jspecify.annotations.NullMarked;

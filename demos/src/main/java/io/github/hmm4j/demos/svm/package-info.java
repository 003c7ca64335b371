/// `hmm bench svm`: explicit copies, shared virtual memory and paging on the same work.
@NullMarked
package io.github.hmm4j.demos.svm;

import org.jspecify.annotations.NullMarked;

/// The results of `hmm bench svm` as people and programs get them: [SvmReport] writes them all, [ResultsFile] reads them back.
@NullMarked
package io.github.hmm4j.demos.svm.report;

import org.jspecify.annotations.NullMarked;

/// The command line: `hmm devices`, `hmm demo [NAME|all]`, `hmm bench NAME|all`.
///
/// Exit codes: 0 everything went well, 1 a wrong result or a failure, 2 a mistake in the command itself.
/// What there is to run comes in through [Catalog]; nothing here knows a particular demo or benchmark.
@NullMarked
package io.github.hmm4j.demos.cli;

import org.jspecify.annotations.NullMarked;

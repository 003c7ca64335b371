package io.github.hmm4j.demos.svm;

/// A way for a program and a device to work on the same data.
public enum Strategy {
    COPIES_PAGEABLE("copies.pageable", "explicit copies", Family.COPIES,
        "clEnqueueWriteBuffer and clEnqueueReadBuffer on the program's ordinary memory"),
    COPIES_PINNED("copies.pinned", "explicit copies, pinned staging", Family.COPIES,
        "as explicit copies, through a pinned buffer of the driver's that the program copies into and out of"),
    ZERO_COPY("zero_copy", "zero-copy host pointer", Family.ZERO_COPY,
        "CL_MEM_USE_HOST_PTR over the program's memory, mapped and unmapped around what the host does"),
    SVM_COARSE("svm.coarse", "coarse-grained SVM", Family.SVM,
        "clSVMAlloc, mapped and unmapped around what the host does"),
    SVM_FINE("svm.fine", "fine-grained SVM buffer", Family.SVM,
        "clSVMAlloc with CL_MEM_SVM_FINE_GRAIN_BUFFER: the host loads and stores as it likes between launches"),
    SVM_ATOMICS("svm.atomics", "fine-grained SVM with atomics", Family.SVM,
        "fine-grained, with CL_MEM_SVM_ATOMICS: also while a kernel runs"),
    SVM_SYSTEM("svm.system", "fine-grained system SVM", Family.SVM,
        "any memory of the program, no OpenCL allocation at all"),
    HMM_CHECKED("hmm.checked", "hmm4j, checked", Family.PAGING,
        "a managed heap; the host opens views; pages migrate when a launch or a view needs them"),
    HMM_TRANSPARENT("hmm.transparent", "hmm4j, transparent", Family.PAGING,
        "a managed heap; the host loads and stores, and pages come home by page faults"),
    HMM_PAGED("hmm.paged", "hmm4j, through its page table", Family.PAGING,
        "a managed heap larger than what the device may hold; kernels ask for each page and run again when it has come"),
    HMM_TRAP("hmm.trap", "hmm4j, kernels that fault", Family.PAGING,
        "a managed heap; host and unmodified kernels load and store, and pages come to either by page faults"),
    HMM_IN_PLACE("hmm.in_place", "hmm4j, in place", Family.PAGING,
        "a managed heap whose pages kernels use where the host has them: nothing moves");

    /// What verdicts compare.
    public enum Family {
        COPIES("explicit copies"), ZERO_COPY("zero-copy"), SVM("shared virtual memory"), PAGING("paging");

        private final String title;

        Family(String title) {
            this.title = title;
        }

        /// As in the middle of a sentence.
        public String title() {
            return title;
        }
    }

    private final String id;
    private final String title;
    private final Family family;
    private final String meaning;

    Strategy(String id, String title, Family family, String meaning) {
        this.id = id;
        this.title = title;
        this.family = family;
        this.meaning = meaning;
    }

    /// As in the middle of a sentence.
    public String title() {
        return title;
    }

    public Family family() {
        return family;
    }

    /// One sentence: what the program does.
    public String meaning() {
        return meaning;
    }

    /// Stable name, for output that programs read.
    @Override
    public String toString() {
        return id;
    }
}

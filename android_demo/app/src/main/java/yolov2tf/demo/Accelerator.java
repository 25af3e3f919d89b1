package yolov2tf.demo;

/** What a network may run on. */
enum Accelerator {
    GPU(R.string.accelerator_gpu, 4),
    CPU_4(R.string.accelerator_cpu_4, 4),
    CPU_2(R.string.accelerator_cpu_2, 2),
    CPU_1(R.string.accelerator_cpu_1, 1);

    /** What runs where the GPU does not; int8 files are fastest there anyway. */
    static final Accelerator FALLBACK = CPU_4;

    /** Its name for people. */
    final int title;
    /** Threads for what runs on the CPU. */
    final int threads;

    Accelerator(int title, int threads) {
        this.title = title;
        this.threads = threads;
    }
}

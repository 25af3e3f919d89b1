package yolov2tf.demo;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import yolov2tf.core.ModelRunner;

/** The app with a runtime that counts, offers a GPU that is not there, and fails when told to. */
public final class TestApplication extends DemoApplication {
    final AtomicInteger runs = new AtomicInteger();
    final AtomicInteger open = new AtomicInteger();
    final AtomicInteger opened = new AtomicInteger();
    /** The next run waits for it. */
    final AtomicReference<CountDownLatch> hold = new AtomicReference<>();
    volatile boolean gpuOpens;
    volatile boolean gpuFails;
    volatile boolean fails;

    @Override
    NetworkRuntime runtime() {
        return new Counting(super.runtime());
    }

    private final class Counting implements NetworkRuntime {
        private final NetworkRuntime real;

        Counting(NetworkRuntime real) {
            this.real = real;
        }

        @Override
        public List<Accelerator> accelerators() {
            return Arrays.asList(Accelerator.values());
        }

        @Override
        public ModelRunner open(ByteBuffer file, Accelerator accelerator) {
            boolean gpu = accelerator == Accelerator.GPU;
            if (gpu && !gpuOpens) {
                throw new UnsupportedOperationException("no such delegate");
            }
            ModelRunner runner = real.open(file, gpu ? Accelerator.CPU_1 : accelerator);
            open.incrementAndGet();
            opened.incrementAndGet();
            return new CountingRunner(runner, gpu);
        }
    }

    private final class CountingRunner implements ModelRunner {
        private final ModelRunner real;
        private final boolean gpu;
        private boolean closed;

        CountingRunner(ModelRunner real, boolean gpu) {
            this.real = real;
            this.gpu = gpu;
        }

        @Override
        public void run(ByteBuffer input, ByteBuffer[] outputs) {
            if (closed) {
                throw new AssertionError("it was closed");
            }
            if (fails || gpu && gpuFails) {
                throw new IllegalStateException("the driver is gone");
            }
            CountDownLatch latch = hold.getAndSet(null);
            if (latch != null) {
                await(latch);
            }
            real.run(input, outputs);
            runs.incrementAndGet();
        }

        private void await(CountDownLatch latch) {
            try {
                latch.await(1, TimeUnit.MINUTES);
            } catch (InterruptedException error) {
                throw new AssertionError(error);
            }
        }

        @Override
        public String description() {
            return gpu ? "GPU" : real.description();
        }

        @Override
        public void close() {
            closed = true;
            real.close();
            open.decrementAndGet();
        }
    }
}

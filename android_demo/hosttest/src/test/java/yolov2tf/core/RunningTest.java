package yolov2tf.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Collections;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Falling back, dropping frames, closing. */
class RunningTest {
    private static final Golden GOLDEN = Golden.named("letterbox-nms-none/landscape");

    private static ModelFile model() throws ModelException {
        return ModelFile.read(ByteBuffer.wrap(Golden.bytes(GOLDEN.model())));
    }

    @Test
    void whatDoesNotOpenIsPassedOver() throws ModelException {
        FakeRunner works = new FakeRunner(false);
        FirstThatWorks opened = FirstThatWorks.open(model(), Arrays.asList(
                () -> {
                    throw new UnsupportedOperationException("no GPU");
                },
                () -> {
                    throw new UnsatisfiedLinkError("no library");
                },
                () -> works));
        assertSame(works, opened.runner);
        assertEquals(2, opened.way);
        assertEquals("no GPU", opened.refusal);
        assertEquals(0, works.closed);
    }

    @Test
    void whatFailsWhenItRunsIsClosedAndPassedOver() throws ModelException {
        FakeRunner broken = new FakeRunner(true);
        FakeRunner works = new FakeRunner(false);
        FirstThatWorks opened =
                FirstThatWorks.open(model(), Arrays.asList(() -> broken, () -> works));
        assertSame(works, opened.runner);
        assertEquals("broken", opened.refusal);
        assertEquals(1, broken.closed);
        assertEquals(1, works.runs);
    }

    @Test
    void ifNothingWorksTheReasonIsSaid() {
        ModelException error = assertThrows(ModelException.class, () -> FirstThatWorks.open(
                model(), Collections.singletonList(() -> new FakeRunner(true))));
        assertTrue(error.getMessage().contains("broken"), error.getMessage());
    }

    @Test
    void theRuntimeRefusesDamagedWeightsWithAnException() {
        assertThrows(IllegalArgumentException.class,
                () -> new LiteRunner(GOLDEN.file("input")));
    }

    @Test
    void oneFrameAtATimePasses() throws InterruptedException {
        FrameGate gate = new FrameGate();
        AtomicInteger inside = new AtomicInteger();
        AtomicInteger passed = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        int threads = 4;
        CountDownLatch start = new CountDownLatch(threads);
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        for (int i = 0; i < threads; i++) {
            pool.execute(() -> {
                start.countDown();
                for (int frame = 0; frame < 10_000; frame++) {
                    if (gate.enter()) {
                        most.accumulateAndGet(inside.incrementAndGet(), Math::max);
                        inside.decrementAndGet();
                        passed.incrementAndGet();
                        gate.leave();
                    }
                }
            });
        }
        pool.shutdown();
        assertTrue(pool.awaitTermination(30, TimeUnit.SECONDS));
        assertEquals(1, most.get());
        assertTrue(passed.get() > 0);
    }

    @Test
    void framesThatComeMeanwhileAreDropped() {
        FrameGate gate = new FrameGate();
        assertTrue(gate.enter());
        assertEquals(false, gate.enter());
        gate.leave();
        assertTrue(gate.enter());
    }

    @Test
    void closingTheDetectorClosesTheRunner() throws ModelException {
        FakeRunner runner = new FakeRunner(false);
        new Detector(model(), runner).close();
        assertEquals(1, runner.closed);
    }

    @Test
    void higherThresholdsFindASubset() throws Exception {
        try (Detector detector = new Detector(model(), new LiteRunner(GOLDEN.model()))) {
            Detections all = new Detections(100);
            detector.setThreshold(0);
            detector.detect(GOLDEN.picture(), all);
            float middle = all.score(all.count() / 2);
            int expected = 0;
            for (int i = 0; i < all.count(); i++) {
                expected += all.score(i) > middle ? 1 : 0;
            }
            assertEquals(expected, all.countAbove(middle)); // what moving the threshold shows
            Detections best = new Detections(100);
            detector.setThreshold(middle);
            detector.detect(GOLDEN.picture(), best);
            assertTrue(expected > 0);
            assertEquals(expected, best.count());
            for (int i = 0; i < expected; i++) {
                assertEquals(best.label(i), all.label(i));
                assertEquals(best.score(i), all.score(i));
                assertEquals(best.left(i), all.left(i));
                assertEquals(best.bottom(i), all.bottom(i));
            }
            Detections few = new Detections(1); // room for one
            detector.detect(GOLDEN.picture(), few);
            assertEquals(best.score(0), few.score(0));
        }
    }

    private static final class FakeRunner implements ModelRunner {
        private final boolean broken;
        private int runs;
        private int closed;

        FakeRunner(boolean broken) {
            this.broken = broken;
        }

        @Override
        public void run(ByteBuffer input, ByteBuffer[] outputs) {
            if (broken) {
                throw new IllegalStateException("broken");
            }
            runs++;
        }

        @Override
        public String description() {
            return "fake";
        }

        @Override
        public void close() {
            closed++;
        }
    }
}

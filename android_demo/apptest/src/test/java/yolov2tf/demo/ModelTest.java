package yolov2tf.demo;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import android.graphics.Bitmap;
import android.graphics.Canvas;
import android.view.View;
import android.widget.Spinner;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import org.junit.Test;
import org.junit.runner.RunWith;
import yolov2tf.core.Detections;

/** Models, what they run on, and the threshold. */
@RunWith(AppRunner.class)
public class ModelTest {
    private static final String[] MODELS = {
        "letterbox-nms-none", "letterbox-nms-int8", "letterbox-all-none", "letterbox-all-int8",
        "stretch-all-none"
    };

    @Test
    public void everyModelFindsInAPictureWhatPythonFinds() throws Exception {
        try (App app = App.start()) {
            for (String model : MODELS) {
                Golden golden = Golden.named(model + "/picture-portrait");
                app.chooseModel(golden.model());
                app.pick(Provider.of(golden.png()));
                app.untilLookedAt();
                golden.compare(app.overlay().found());
                assertTrue(golden.count() > 0);
                app.click(R.id.pick);
            }
        }
    }

    @Test
    public void anotherModelLooksAtTheSamePicture() throws Exception {
        Golden first = Golden.named("letterbox-nms-none/picture-landscape");
        try (App app = App.start()) {
            app.chooseModel(first.model());
            app.pick(Provider.of(first.png()));
            app.untilLookedAt();
            for (String model : new String[] {"letterbox-all-none", "stretch-all-none"}) {
                app.chooseModel(model + ".tflite");
                app.untilLookedAt();
                // Each model has its own pictures in the cases; all show this one the same way.
                assertEquals(first.json.getInt("width"), app.overlay().found().pictureWidth());
                assertTrue(app.text(R.id.about), app.text(R.id.about).contains("none"));
            }
            app.chooseModel(first.model());
            app.untilLookedAt();
            first.compare(app.overlay().found());
        }
    }

    @Test
    public void whoeverChoosesManyModelsWaitsForTheLastAlone() throws Exception {
        try (App app = App.start()) {
            CountDownLatch busy = new CountDownLatch(1);
            App.application().hold.set(busy);
            app.pick(Provider.of(Golden.named("digits/picture-landscape").png()));
            App.until("the network runs", () -> App.application().hold.get() == null);
            int before = App.application().opened.get();
            for (int i = 0; i < 4; i++) {
                app.choose(Accelerator.CPU_1);
                app.choose(Accelerator.CPU_2);
            }
            busy.countDown();
            App.until("the last one is opened", () -> App.application().opened.get() > before);
            app.untilLookedAt();
            App.settle();
            assertEquals(before + 1, App.application().opened.get());
            assertTrue(app.text(R.id.times), app.text(R.id.times).startsWith("CPU × 2"));
        }
    }

    @Test
    public void eachAcceleratorRuns() throws Exception {
        Golden golden = Golden.named("letterbox-nms-none/picture-landscape");
        App.application().gpuOpens = true;
        try (App app = App.start()) {
            app.chooseModel(golden.model());
            app.pick(Provider.of(golden.png()));
            for (Accelerator accelerator : Accelerator.values()) {
                app.choose(accelerator);
                String name = accelerator == Accelerator.GPU ? "GPU"
                        : "CPU × " + accelerator.threads;
                App.until("it runs on " + name, () ->
                        app.text(R.id.times).startsWith(name + " ·"));
                golden.compare(app.overlay().found());
                assertEquals(View.GONE, app.view(R.id.remark).getVisibility());
            }
        }
    }

    @Test
    public void aRefusedGpuSaysWhyAndTheSpinnerSaysWhatRuns() throws Exception {
        try (App app = App.start()) {
            app.choose(Accelerator.GPU);
            App.until("it is told", () -> app.view(R.id.remark).getVisibility() == View.VISIBLE);
            assertEquals("The GPU cannot run this model (no such delegate). It runs on:"
                    + " CPU, 4 threads.", app.text(R.id.remark));
            assertEquals("CPU, 4 threads",
                    app.<Spinner>view(R.id.accelerators).getSelectedItem());
            int opened = App.application().opened.get();
            app.layOut();
            App.settle();
            assertEquals("the spinner loads nothing", opened, App.application().opened.get());
            app.screenshot("gpu-refused");
            app.choose(Accelerator.CPU_1);
            assertEquals(View.GONE, app.view(R.id.remark).getVisibility());
        }
    }

    @Test
    public void aGpuThatFailsLaterIsReplacedByTheCpu() throws Exception {
        Golden golden = Golden.named("letterbox-nms-none/picture-landscape");
        App.application().gpuOpens = true;
        try (App app = App.start()) {
            app.chooseModel(golden.model());
            app.choose(Accelerator.GPU);
            App.until("it runs", () -> app.text(R.id.times).startsWith("GPU"));
            App.application().gpuFails = true;
            App.application().gpuOpens = false;
            app.pick(Provider.of(golden.png()));
            app.untilLookedAt();
            golden.compare(app.overlay().found());
            assertTrue(app.text(R.id.remark), app.text(R.id.remark).startsWith("The GPU cannot"));
            assertTrue(app.text(R.id.times), app.text(R.id.times).startsWith("CPU × 4"));
        }
    }

    @Test
    public void aNetworkThatFailsSaysSo() throws Exception {
        try (App app = App.start()) {
            app.pick(Provider.of(Golden.named("digits/picture-landscape").png()));
            app.untilLookedAt();
            App.application().fails = true;
            app.choose(Accelerator.CPU_1);
            App.until("it is told", () -> app.notice() != null);
            assertEquals(Golden.first() + ": The model cannot be run on this device:"
                    + " the driver is gone", app.notice());
            App.application().fails = false;
            app.choose(Accelerator.CPU_2);
            app.untilLookedAt();
            App.until("the notice goes", () -> app.notice() == null);
        }
    }

    @Test
    public void theThresholdFiltersWhatIsFoundAndRunsNothing() throws Exception {
        Golden golden = Golden.named("letterbox-all-none/picture-landscape");
        try (App app = App.start()) {
            app.chooseModel(golden.model());
            app.pick(Provider.of(golden.png()));
            app.untilLookedAt();
            App.settle();
            Detections found = app.overlay().found();
            View overlay = app.overlay();
            Canvas canvas = new Canvas(Bitmap.createBitmap(
                    overlay.getWidth(), overlay.getHeight(), Bitmap.Config.ARGB_8888));
            int runs = App.application().runs.get();
            // The processor's time of this thread: others may use the machine, too.
            ThreadMXBean clock = ManagementFactory.getThreadMXBean();
            long[] steps = new long[60];
            long[] draws = new long[60];
            for (int percent = 20; percent < 80; percent++) {
                long start = clock.getCurrentThreadCpuTime();
                app.slide(percent);
                long slid = clock.getCurrentThreadCpuTime();
                overlay.draw(canvas);
                steps[percent - 20] = slid - start;
                draws[percent - 20] = clock.getCurrentThreadCpuTime() - slid;
                int count = found.countAbove(percent / 100f);
                String words = app.description();
                assertEquals(count == 0 ? "Nothing found" : words, words);
                assertEquals(Math.max(count, 1), words.split(",").length);
            }
            App.settle();
            System.out.printf("60 steps of the threshold: %d runs; of the processor's time: %s; "
                    + "drawing: %s%n", App.application().runs.get() - runs, told(steps),
                    told(draws));
            assertEquals("no run of the network", runs, App.application().runs.get());
            assertTrue(found.countAbove(0.2f) > found.countAbove(0.79f));
            app.slide(25);
            golden.compare(app.overlay().found());
        }
    }

    @Test
    public void fewerBoxesAreOnTheScreenAfterTheThresholdRose() throws Exception {
        Golden golden = Golden.named("digits/picture-landscape");
        try (App app = App.start()) {
            app.chooseModel(golden.model());
            app.pick(Provider.of(golden.png()));
            app.untilLookedAt();
            Bitmap many = app.screenshot("threshold-25");
            Boxes.assertDrawn(app, many, false);
            app.slide(99);
            Bitmap none = app.screenshot("threshold-99");
            assertFalse(many.sameAs(none));
            assertEquals("Nothing found", app.description());
        }
    }

    private static String told(long[] nanos) {
        double first = nanos[0] / 1e6;
        Arrays.sort(nanos);
        return String.format("first %.1f ms, median %.1f ms, longest %.1f ms", first,
                nanos[nanos.length / 2] / 1e6, nanos[nanos.length - 1] / 1e6);
    }
}

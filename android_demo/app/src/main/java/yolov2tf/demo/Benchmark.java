package yolov2tf.demo;

import android.os.Handler;
import android.os.Looper;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Random;
import yolov2tf.core.Detections;
import yolov2tf.core.Detector;
import yolov2tf.core.FirstThatWorks;
import yolov2tf.core.ModelFile;
import yolov2tf.core.ModelRunner;
import yolov2tf.core.PackedPicture;
import yolov2tf.core.Picture;
import yolov2tf.core.Spread;

/** Times one model on all that can run it, on a thread of its own. */
final class Benchmark {
    /** Hears on the UI thread; of nothing any more after {@link #cancel}. */
    interface Listener {
        void onModel(ModelFile model);

        /** One more run is done. */
        void onRun(Accelerator accelerator, int run);

        /** All runs on an accelerator are done. Times of the network alone, in milliseconds. */
        void onMeasured(Accelerator accelerator, Spread times);

        /** It does not run there, or stopped; {@code reason} is for people. */
        void onRefused(Accelerator accelerator, String reason);

        /** Nothing follows; {@code trouble} says why nothing came before, or is null. */
        void onEnd(String trouble);
    }

    private static final int WARM_UP = 3; // the first runs allocate, and clocks rise
    private static final int SIDE = 416;

    private final ModelAssets assets;
    private final NetworkRuntime runtime;
    private final String name;
    private final int runs;
    private final Listener listener;
    private final Handler screen = new Handler(Looper.getMainLooper());
    private volatile boolean cancelled;

    /**
     * @param name of the model
     * @param runs on each accelerator
     */
    Benchmark(ModelAssets assets, NetworkRuntime runtime, String name, int runs,
            Listener listener) {
        this.assets = assets;
        this.runtime = runtime;
        this.name = name;
        this.runs = runs;
        this.listener = listener;
    }

    void start() {
        new Thread(this::run, "benchmark").start();
    }

    /** Ends it after the run that is under way. */
    void cancel() {
        cancelled = true;
    }

    private void run() {
        try {
            ByteBuffer file = assets.map(name);
            ModelFile model = ModelFile.read(file);
            tell(() -> listener.onModel(model));
            Picture picture = noise();
            List<Accelerator> accelerators = runtime.accelerators();
            for (int i = 0; i < accelerators.size() && !cancelled; i++) {
                measure(file, model, picture, accelerators.get(i));
            }
            tell(() -> listener.onEnd(null));
        } catch (Exception error) { // the runtime's own, too
            tell(() -> listener.onEnd(FirstThatWorks.words(error)));
        }
    }

    private void measure(ByteBuffer file, ModelFile model, Picture picture,
            Accelerator accelerator) {
        ModelRunner runner = null;
        try {
            runner = runtime.open(file, accelerator);
            Detector detector = new Detector(model, runner);
            Detections found = new Detections(model.layout.maxDetections);
            float[] times = new float[runs];
            for (int run = -WARM_UP; run < runs; run++) {
                if (cancelled) {
                    return;
                }
                detector.detect(picture, found);
                if (run >= 0) {
                    times[run] = detector.runMillis();
                    int done = run + 1;
                    tell(() -> listener.onRun(accelerator, done));
                }
            }
            tell(() -> listener.onMeasured(accelerator, new Spread(times)));
        } catch (Exception | LinkageError error) { // the latter if a library is missing
            tell(() -> listener.onRefused(accelerator, FirstThatWorks.words(error)));
        } finally {
            if (runner != null) {
                runner.close();
            }
        }
    }

    /** A picture that is the same everywhere: the network's time hardly depends on it. */
    private static Picture noise() {
        Random random = new Random(0);
        int[] pixels = new int[SIDE * SIDE];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = random.nextInt();
        }
        return new PackedPicture(pixels, SIDE, SIDE);
    }

    private void tell(Runnable news) {
        screen.post(() -> {
            if (!cancelled) {
                news.run();
            }
        });
    }
}

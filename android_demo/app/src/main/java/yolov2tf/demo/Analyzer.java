package yolov2tf.demo;

import android.graphics.Bitmap;
import android.media.Image;
import android.os.Handler;
import android.os.HandlerThread;
import java.io.IOException;
import yolov2tf.core.Detections;
import yolov2tf.core.Detector;
import yolov2tf.core.FrameGate;
import yolov2tf.core.ModelException;
import yolov2tf.core.ModelFile;
import yolov2tf.core.MovingAverage;
import yolov2tf.core.Picture;
import yolov2tf.core.YuvFrame;

/**
 * Runs the network on a thread of its own, one picture at a time.
 *
 * <p>A camera frame that comes while the network is busy is dropped. Everything of the network is
 * opened, used and closed on that thread. It finds all that the network gives: thresholds are for
 * those who show it.
 */
final class Analyzer {
    /** Hears of results on the analyzer's thread. */
    interface Listener {
        /**
         * A model was loaded.
         *
         * @param runsOn the accelerator that was chosen, or what runs in its place
         * @param refusal why the chosen one does not run it; null if it does
         */
        void onModel(ModelFile model, Accelerator runsOn, String refusal);

        /**
         * Something was looked at.
         *
         * @param found valid during the call only
         * @param live whether in a camera's frame; else in a picture
         */
        void onDetections(ModelFile model, Detections found, boolean live);

        /**
         * Times in milliseconds: of a picture, or means of the last frames, told twice a second.
         *
         * @param framesPerSecond 0 for a picture
         */
        void onTimes(String runsOn, float prepare, float run, float framesPerSecond);

        /** The frame that was asked for ({@link #keepNext}); both are the listener's to keep. */
        void onFrameKept(Bitmap frame, ModelFile model, Detections found);

        void onModelFailed(String name, Exception reason);

        void onNetworkFailed(RuntimeException reason);
    }

    private static final long TIMES_EVERY_NANOS = 500_000_000L;

    private final ModelAssets assets;
    private final NetworkRuntime runtime;
    private final Listener listener;
    private final HandlerThread thread = new HandlerThread("network");
    private final Handler handler;
    private final FrameGate gate = new FrameGate();
    private final YuvFrame frame = new YuvFrame(); // belongs to whoever is inside the gate
    private final Runnable detectFrame = this::detectFrame;
    private final MovingAverage prepareMillis = new MovingAverage(30);
    private final MovingAverage runMillis = new MovingAverage(30);
    private final MovingAverage frameMillis = new MovingAverage(30);
    private Runnable waiting; // the last load asked for; of the thread that asks
    private volatile boolean keep;

    // Of the network's thread alone.
    private Detector detector;
    private Detections found;
    private long lastFrame;
    private long lastTold;

    Analyzer(ModelAssets assets, NetworkRuntime runtime, Listener listener) {
        this.assets = assets;
        this.runtime = runtime;
        this.listener = listener;
        thread.start();
        handler = new Handler(thread.getLooper());
    }

    /** Loads a model in place of the one before, and of those that still wait to be loaded. */
    void load(String name, Accelerator accelerator) {
        if (waiting != null) {
            handler.removeCallbacks(waiting);
        }
        waiting = () -> open(name, accelerator);
        handler.post(waiting);
    }

    /**
     * Takes a camera frame, or drops it.
     *
     * @param image the frame; used during the call only
     * @param rotation degrees clockwise that turn it upright
     */
    void offer(Image image, int rotation) {
        if (!gate.enter()) {
            return;
        }
        Image.Plane[] planes = image.getPlanes();
        frame.set(image.getWidth(), image.getHeight(), rotation,
                planes[0].getBuffer(), planes[0].getRowStride(),
                planes[1].getBuffer(), planes[2].getBuffer(),
                planes[1].getRowStride(), planes[1].getPixelStride());
        if (!handler.post(detectFrame)) {
            gate.leave();
        }
    }

    /** Keeps the next camera frame that is looked at, with what is found in it. */
    void keepNext() {
        keep = true;
    }

    /** Looks at a picture. */
    void look(Picture picture) {
        handler.post(() -> detectPicture(picture));
    }

    /** Closes the model and ends the thread; what is waiting is not done any more. */
    void close() {
        handler.removeCallbacksAndMessages(null);
        handler.post(this::release);
        thread.quitSafely();
    }

    private void open(String name, Accelerator chosen) {
        release();
        try {
            OpenNetwork network = OpenNetwork.open(assets, runtime, name, chosen);
            detector = network.detector;
            found = new Detections(network.model.layout.maxDetections);
            listener.onModel(network.model, network.runsOn, network.refusal);
        } catch (ModelException | IOException error) {
            listener.onModelFailed(name, error);
        }
    }

    private void detectFrame() {
        try {
            detect(frame, true);
        } finally {
            gate.leave();
        }
        tellTimes();
    }

    private void detectPicture(Picture picture) {
        if (detect(picture, false)) {
            listener.onTimes(detector.description(), detector.prepareMillis(),
                    detector.runMillis(), 0);
        }
    }

    private boolean detect(Picture picture, boolean live) {
        if (detector == null) {
            return false;
        }
        try {
            detector.detect(picture, found);
        } catch (RuntimeException error) { // the runtime's own; a delegate may fail at any time
            release();
            listener.onNetworkFailed(error);
            return false;
        }
        if (live) {
            prepareMillis.add(detector.prepareMillis());
            runMillis.add(detector.runMillis());
        }
        listener.onDetections(detector.model(), found, live);
        if (live && keep) {
            keep = false;
            Detections kept = new Detections(found.capacity());
            kept.copy(found);
            listener.onFrameKept(Snapshot.bitmap(picture), detector.model(), kept);
        }
        return true;
    }

    private void tellTimes() {
        long now = System.nanoTime();
        if (lastFrame != 0) {
            frameMillis.add((now - lastFrame) / 1e6f);
        }
        lastFrame = now;
        if (detector != null && now - lastTold > TIMES_EVERY_NANOS && frameMillis.mean() > 0) {
            lastTold = now;
            listener.onTimes(detector.description(), prepareMillis.mean(), runMillis.mean(),
                    1000 / frameMillis.mean());
        }
    }

    private void release() {
        if (detector != null) {
            detector.close();
            detector = null;
        }
        prepareMillis.clear();
        runMillis.clear();
        frameMillis.clear();
        lastFrame = 0;
    }
}

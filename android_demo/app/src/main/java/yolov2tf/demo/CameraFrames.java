package yolov2tf.demo;

import android.media.Image;
import android.os.Handler;

/** Frames of one camera for one analyzer; what goes wrong is told on the UI thread. */
final class CameraFrames implements Camera.Listener {
    /** Hears of the camera; of nothing any more after {@link #end}. */
    interface Listener {
        /** Another app took it; it may come back. */
        void onCameraLost();

        void onCameraFailed(String reason);
    }

    private final Analyzer analyzer;
    private final LiveCamera camera;
    private final Handler screen;
    private final Listener listener;
    private boolean ended; // of the UI thread

    CameraFrames(Analyzer analyzer, LiveCamera camera, Handler screen, Listener listener) {
        this.analyzer = analyzer;
        this.camera = camera;
        this.screen = screen;
        this.listener = listener;
    }

    void end() {
        ended = true;
    }

    @Override
    public void onFrame(Image image) {
        analyzer.offer(image, camera.rotation());
    }

    @Override
    public void onLost() {
        tell(listener::onCameraLost);
    }

    @Override
    public void onFailed(String reason) {
        tell(() -> listener.onCameraFailed(reason));
    }

    private void tell(Runnable news) {
        screen.post(() -> { // never at once: the camera may be about to be opened
            if (!ended) {
                news.run();
            }
        });
    }
}

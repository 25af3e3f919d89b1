package yolov2tf.demo;

import android.content.Context;
import android.graphics.Bitmap;
import android.os.Handler;
import yolov2tf.core.Detections;
import yolov2tf.core.FirstThatWorks;
import yolov2tf.core.ModelFile;

/** Brings the results of one analyzer to the screen; what comes after {@link #end} is forgotten. */
final class ScreenResults implements Analyzer.Listener {
    /** Hears on the UI thread. */
    interface Listener {
        void onModelTrouble(String words);

        /** The GPU failed in a run: the model has to be loaded for what is chosen now. */
        void onGpuLost();

        void onSnapshot(Snapshot snapshot);
    }

    private final Context context;
    private final OverlayView overlay;
    private final Controls controls;
    private final PictureSource pictures;
    private final Handler screen;
    private final Listener listener;
    private boolean ended; // of the UI thread

    ScreenResults(Context context, OverlayView overlay, Controls controls,
            PictureSource pictures, Handler screen, Listener listener) {
        this.context = context;
        this.overlay = overlay;
        this.controls = controls;
        this.pictures = pictures;
        this.screen = screen;
        this.listener = listener;
    }

    void end() {
        ended = true;
    }

    @Override
    public void onModel(ModelFile model, Accelerator runsOn, String refusal) {
        String info = context.getString(R.string.model_info, model.name, model.layout.inputSize,
                model.layout.quantization);
        String about = model.author.isEmpty() && model.license.isEmpty()
                ? info : context.getString(R.string.model_by, info, model.author, model.license);
        show(() -> {
            if (refusal != null) {
                remarkRefusal(refusal, runsOn);
            }
            controls.showModel(about);
            controls.showTimes(context.getString(runsOn.title));
        });
    }

    @Override
    public void onDetections(ModelFile model, Detections found, boolean live) {
        if (live == (pictures.shown() == null)) { // a frame may come late
            overlay.show(found, model.layout.classNames, live);
        }
    }

    @Override
    public void onTimes(String runsOn, float prepare, float run, float framesPerSecond) {
        String times = framesPerSecond > 0
                ? context.getString(R.string.times, runsOn, prepare, run, framesPerSecond)
                : context.getString(R.string.times_picture, runsOn, prepare, run);
        show(() -> controls.showTimes(times));
    }

    @Override
    public void onModelFailed(String name, Exception reason) {
        trouble(context.getString(R.string.model_failed, name, FirstThatWorks.words(reason)));
    }

    /** A GPU may fail at any time; the CPU takes over. */
    @Override
    public void onNetworkFailed(RuntimeException reason) {
        String words = FirstThatWorks.words(reason);
        show(() -> {
            if (controls.accelerator() == Accelerator.GPU) {
                remarkRefusal(words, Accelerator.FALLBACK);
                listener.onGpuLost();
            } else {
                trouble(context.getString(R.string.network_failed, words));
            }
        });
    }

    @Override
    public void onFrameKept(Bitmap frame, ModelFile model, Detections found) {
        show(() -> listener.onSnapshot(
                overlay.snapshot(frame, found, model.layout.classNames)));
    }

    private void remarkRefusal(String reason, Accelerator runsOn) {
        controls.remark(context.getString(R.string.refused,
                context.getString(controls.accelerator().title), reason,
                context.getString(runsOn.title)));
        controls.setAccelerator(runsOn);
    }

    private void trouble(String words) {
        show(() -> {
            controls.showTimes("");
            listener.onModelTrouble(words);
        });
    }

    private void show(Runnable change) {
        screen.post(() -> {
            if (!ended) {
                change.run();
            }
        });
    }
}

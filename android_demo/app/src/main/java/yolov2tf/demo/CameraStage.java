package yolov2tf.demo;

import android.app.Activity;
import android.content.Context;
import android.hardware.display.DisplayManager;
import android.os.Bundle;
import android.os.Handler;
import android.os.Looper;
import android.view.SurfaceView;

/**
 * The camera of the screen, from resume to pause.
 *
 * <p>Whatever may start it (resuming, the permission, a surface of the right size, a camera that
 * comes back, a picture that goes) calls {@link #start}, which looks whether all of it is there.
 */
final class CameraStage implements DisplayManager.DisplayListener, CameraFrames.Listener {
    private static final String CAMERA = "camera";

    private final Activity activity;
    private final CameraPermission permission;
    private final OverlayView overlay;
    private final Controls controls;
    private final PictureSource pictures;
    private final Troubles troubles;
    private final Runnable tell;
    private final LiveCamera camera;
    private final Handler screen = new Handler(Looper.getMainLooper());
    private Analyzer analyzer; // null while paused
    private CameraFrames frames;

    /**
     * @param pictures which leave the stage to the camera, or not
     * @param troubles hears what is the matter with the camera
     * @param tell says what is the matter
     */
    @SuppressWarnings("deprecation") // getDisplay() came with API 30
    CameraStage(Activity activity, CameraPermission permission, OverlayView overlay,
            Controls controls, PictureSource pictures, Troubles troubles, Runnable tell) {
        this.activity = activity;
        this.permission = permission;
        this.overlay = overlay;
        this.controls = controls;
        this.pictures = pictures;
        this.troubles = troubles;
        this.tell = tell;
        camera = new LiveCamera(activity, activity.getWindowManager().getDefaultDisplay(),
                activity.findViewById(R.id.preview),
                activity.<SurfaceView>findViewById(R.id.camera).getHolder(), this::start);
    }

    void save(Bundle state) {
        state.putInt(CAMERA, camera.chosen());
    }

    void restore(Bundle state) {
        camera.choose(state.getInt(CAMERA));
    }

    /** From now on its frames go to an analyzer. */
    void resume(Analyzer looksAtFrames) {
        analyzer = looksAtFrames;
        troubles.camera = null;
        displays().registerDisplayListener(this, screen);
        if (controls.hasModels()) {
            camera.watch();
            start();
        }
    }

    void pause() {
        analyzer = null;
        displays().unregisterDisplayListener(this);
        camera.unwatch();
        camera.stop();
        endFrames();
    }

    boolean runs() {
        return camera.runs();
    }

    /** Starts the camera if everything that it needs is there; else says what is missing. */
    void start() {
        if (analyzer == null || camera.runs() || pictures.takesTheStage()
                || !controls.hasModels()) {
            return;
        }
        if (!permission.granted()) {
            if (!permission.asked()) {
                permission.ask();
            }
            tell.run();
            return;
        }
        int count = camera.find();
        controls.setCameras(count);
        troubles.camera = count == 0 ? activity.getString(R.string.no_camera) : null;
        if (count > 0) {
            overlay.setMirrored(camera.mirrored());
            endFrames();
            frames = new CameraFrames(analyzer, camera, screen, this);
            camera.start(frames);
        }
        tell.run();
    }

    /** Gives it back, until the next start. */
    void stop() {
        camera.stop();
    }

    /** Goes on with another camera. */
    void next() {
        camera.stop();
        camera.next();
        overlay.clear();
        start();
    }

    /** Follows the screen's rotation. */
    void turn() {
        camera.turn();
    }

    private void endFrames() {
        if (frames != null) {
            frames.end();
            frames = null;
        }
    }

    @Override
    public void onCameraLost() {
        troubles.camera = activity.getString(R.string.camera_lost);
        overlay.clear();
        camera.lose();
        tell.run();
    }

    @Override
    public void onCameraFailed(String reason) {
        troubles.camera = activity.getString(R.string.camera_failed, reason);
        overlay.clear();
        tell.run();
    }

    /** Half a turn changes no configuration, only the display. */
    @Override
    public void onDisplayChanged(int id) {
        camera.turn();
    }

    @Override
    public void onDisplayAdded(int id) {}

    @Override
    public void onDisplayRemoved(int id) {}

    private DisplayManager displays() {
        return (DisplayManager) activity.getSystemService(Context.DISPLAY_SERVICE);
    }
}

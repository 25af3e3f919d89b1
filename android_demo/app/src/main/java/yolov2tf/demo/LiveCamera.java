package yolov2tf.demo;

import android.content.Context;
import android.hardware.camera2.CameraAccessException;
import android.hardware.camera2.CameraManager;
import android.os.Handler;
import android.os.Looper;
import android.view.Display;
import android.view.SurfaceHolder;
import java.util.Collections;
import java.util.List;

/**
 * The camera on the screen: which one, its surface in the right size and aspect, its rotation.
 *
 * <p>One that another app took comes back when that app gives it back.
 */
final class LiveCamera implements SurfaceHolder.Callback {
    private final CameraManager.AvailabilityCallback availability = new Availability();
    private final CameraManager manager;
    private final Display display;
    private final AspectLayout preview;
    private final SurfaceHolder surface;
    private final Runnable ready;
    private List<CameraChoice> choices = Collections.emptyList();
    private int chosen;
    private Camera camera; // null while none runs
    private boolean watching;
    private boolean lost;
    private volatile int rotation; // read on the camera's thread

    /**
     * @param preview holds the surface
     * @param surface shows the camera
     * @param ready told when what {@link #start} may have waited for has changed: the surface, or
     *     whether there is a camera
     */
    LiveCamera(
            Context context,
            Display display,
            AspectLayout preview,
            SurfaceHolder surface,
            Runnable ready) {
        manager = (CameraManager) context.getSystemService(Context.CAMERA_SERVICE);
        this.display = display;
        this.preview = preview;
        this.surface = surface;
        this.ready = ready;
        surface.addCallback(this);
    }

    /** Looks for cameras; returns how many can be used. */
    int find() {
        try {
            choices = CameraChoice.all(manager);
        } catch (CameraAccessException | IllegalArgumentException error) {
            choices = Collections.emptyList();
        }
        return choices.size();
    }

    /** Hears of cameras that come (back) or go, until {@link #unwatch}. */
    void watch() {
        watching = true;
        manager.registerAvailabilityCallback(availability, new Handler(Looper.getMainLooper()));
    }

    void unwatch() {
        watching = false;
        lost = false;
        manager.unregisterAvailabilityCallback(availability);
    }

    /** Another app took the camera: gives it up, until it comes back. */
    void lose() {
        stop();
        lost = watching;
    }

    /** Which camera was chosen: for {@link #choose} after the activity was made anew. */
    int chosen() {
        return chosen;
    }

    void choose(int place) {
        chosen = place;
    }

    /** Chooses another camera for the next start. */
    void next() {
        chosen++;
    }

    /** Whether the screen shows it mirrored, as people expect of a camera that sees them. */
    boolean mirrored() {
        return choice().front;
    }

    /** Degrees clockwise that turn its frames upright. */
    int rotation() {
        return rotation;
    }

    boolean runs() {
        return camera != null;
    }

    /** Starts the camera if its surface has the right size; else that is changed first. */
    void start(Camera.Listener listener) {
        lost = false;
        turn();
        int width = choice().size.width;
        int height = choice().size.height;
        if (surface.getSurface().isValid()
                && surface.getSurfaceFrame().width() == width
                && surface.getSurfaceFrame().height() == height) {
            camera = Camera.open(manager, choice(), surface.getSurface(), listener);
        } else {
            surface.setFixedSize(width, height);
        }
    }

    /** Gives the camera back. */
    void stop() {
        if (camera != null) {
            camera.close();
            camera = null;
        }
    }

    /** Follows the rotation of the screen: frames turn the other way, the preview its aspect. */
    void turn() {
        if (choices.isEmpty()) {
            return;
        }
        CameraChoice choice = choice();
        rotation = choice.rotation(90 * display.getRotation());
        boolean upright = rotation % 180 == 0;
        preview.setAspect(upright ? choice.size.width : choice.size.height,
                upright ? choice.size.height : choice.size.width);
    }

    private CameraChoice choice() {
        return choices.get(chosen % choices.size());
    }

    @Override
    public void surfaceCreated(SurfaceHolder holder) {}

    @Override
    public void surfaceChanged(SurfaceHolder holder, int format, int width, int height) {
        ready.run();
    }

    @Override
    public void surfaceDestroyed(SurfaceHolder holder) {
        stop();
    }

    /** Of cameras that are not ours, and of our own when it is given back. */
    private final class Availability extends CameraManager.AvailabilityCallback {
        @Override
        public void onCameraAvailable(String id) {
            // Without this, a camera that fails whenever it is opened would be opened for ever.
            boolean isNew = choices.isEmpty();
            if (watching && (lost && choice().id.equals(id) || isNew)) {
                ready.run();
            }
        }
    }
}

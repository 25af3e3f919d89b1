package yolov2tf.demo;

import android.annotation.SuppressLint;
import android.graphics.ImageFormat;
import android.hardware.camera2.CameraAccessException;
import android.hardware.camera2.CameraCaptureSession;
import android.hardware.camera2.CameraDevice;
import android.hardware.camera2.CameraManager;
import android.hardware.camera2.CaptureRequest;
import android.media.Image;
import android.media.ImageReader;
import android.os.Handler;
import android.os.HandlerThread;
import android.view.Surface;
import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import yolov2tf.core.FirstThatWorks;

/**
 * A running camera: frames for the network, a preview for the screen.
 *
 * <p>Opened once and closed once; after a pause there is a new one. Everything happens on a thread
 * of its own.
 */
final class Camera {
    /** Hears of what happens on the camera's thread. */
    interface Listener {
        /** A frame; closed when the call returns. */
        void onFrame(Image image);

        /** Another app took it or has it already, or it was switched off. */
        void onLost();

        void onFailed(String reason);
    }

    private static final int FRAMES = 2; // one being read, one being filled
    private static final int LONGEST_OPENING_SECONDS = 3;

    private final HandlerThread thread = new HandlerThread("camera");
    private final Handler handler;
    private final Listener listener;
    private final Surface preview;
    private final ImageReader reader;
    private final CountDownLatch answered = new CountDownLatch(1);

    // Of the camera's thread alone.
    private CameraDevice device;
    private CameraCaptureSession session;
    private boolean closed;

    private Camera(CameraChoice choice, Surface preview, Listener listener) {
        this.listener = listener;
        this.preview = preview;
        thread.start();
        handler = new Handler(thread.getLooper());
        reader = ImageReader.newInstance(
                choice.size.width, choice.size.height, ImageFormat.YUV_420_888, FRAMES);
        reader.setOnImageAvailableListener(this::onImage, handler);
    }

    /**
     * Opens a camera. Needs the permission.
     *
     * @param preview shows what it sees; must have the size of {@code choice}
     */
    @SuppressLint("MissingPermission")
    static Camera open(
            CameraManager manager, CameraChoice choice, Surface preview, Listener listener) {
        Camera camera = new Camera(choice, preview, listener);
        try {
            manager.openCamera(choice.id, camera.new Opening(), camera.handler);
        } catch (CameraAccessException error) {
            camera.answered.countDown();
            if (error.getReason() == CameraAccessException.CAMERA_IN_USE
                    || error.getReason() == CameraAccessException.MAX_CAMERAS_IN_USE) {
                listener.onLost();
            } else {
                listener.onFailed(FirstThatWorks.words(error));
            }
        } catch (SecurityException | IllegalArgumentException error) {
            camera.answered.countDown();
            listener.onFailed(FirstThatWorks.words(error));
        }
        return camera;
    }

    /** Gives the camera back. Returns when it is free. */
    void close() {
        try {
            // A device that opens after its thread has ended could never be closed.
            answered.await(LONGEST_OPENING_SECONDS, TimeUnit.SECONDS);
            handler.post(this::release);
            thread.quitSafely();
            thread.join();
        } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
        }
    }

    private void onImage(ImageReader source) {
        try (Image image = source.acquireLatestImage()) {
            if (image != null && !closed) {
                listener.onFrame(image);
            }
        }
    }

    private void start() {
        try {
            device.createCaptureSession(
                    Arrays.asList(preview, reader.getSurface()), new Starting(), handler);
        } catch (CameraAccessException | IllegalArgumentException | IllegalStateException error) {
            fail(FirstThatWorks.words(error));
        }
    }

    private void repeat() {
        try {
            CaptureRequest.Builder request =
                    device.createCaptureRequest(CameraDevice.TEMPLATE_PREVIEW);
            request.addTarget(preview);
            request.addTarget(reader.getSurface());
            request.set(CaptureRequest.CONTROL_AF_MODE,
                    CaptureRequest.CONTROL_AF_MODE_CONTINUOUS_PICTURE);
            session.setRepeatingRequest(request.build(), null, handler);
        } catch (CameraAccessException | IllegalArgumentException | IllegalStateException error) {
            fail(FirstThatWorks.words(error));
        }
    }

    private void fail(String reason) {
        if (!closed) {
            listener.onFailed(reason);
        }
    }

    private void release() {
        closed = true;
        if (session != null) {
            session.close();
            session = null;
        }
        if (device != null) {
            device.close();
            device = null;
        }
        reader.close();
    }

    private final class Opening extends CameraDevice.StateCallback {
        @Override
        public void onOpened(CameraDevice opened) {
            device = opened;
            if (closed) { // close() gave up waiting
                opened.close();
            } else {
                start();
            }
            answered.countDown();
        }

        @Override
        public void onDisconnected(CameraDevice lost) {
            lost.close();
            device = null;
            answered.countDown();
            if (!closed) {
                listener.onLost();
            }
        }

        @Override
        public void onError(CameraDevice broken, int code) {
            broken.close();
            device = null;
            answered.countDown();
            boolean taken = code == ERROR_CAMERA_IN_USE || code == ERROR_MAX_CAMERAS_IN_USE;
            if (taken && !closed) {
                listener.onLost();
            } else {
                fail("error " + code);
            }
        }
    }

    private final class Starting extends CameraCaptureSession.StateCallback {
        @Override
        public void onConfigured(CameraCaptureSession configured) {
            if (closed || device == null) {
                return;
            }
            session = configured;
            repeat();
        }

        @Override
        public void onConfigureFailed(CameraCaptureSession refused) {
            fail("it refuses frames of this size");
        }
    }
}

package yolov2tf.demo;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;
import static org.robolectric.Shadows.shadowOf;

import android.content.Context;
import android.graphics.Bitmap;
import android.graphics.ImageFormat;
import android.hardware.camera2.CameraCharacteristics;
import android.hardware.camera2.CameraManager;
import android.hardware.camera2.CameraMetadata;
import android.util.Size;
import android.view.View;
import java.util.concurrent.CountDownLatch;
import org.junit.After;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.shadow.api.Shadow;
import org.robolectric.shadows.ShadowCameraCharacteristics;
import org.robolectric.shadows.ShadowCameraManager;
import org.robolectric.shadows.StreamConfigurationMapBuilder;
import yolov2tf.core.Detections;

/** Frames of both cameras in all rotations; cameras that go and come back. */
@RunWith(AppRunner.class)
public class CameraTest {
    static final int BACK = CameraMetadata.LENS_FACING_BACK;
    private static final int FRONT = CameraMetadata.LENS_FACING_FRONT;

    @After
    public void unplugAll() throws Exception {
        for (String id : manager().getCameraIdList()) {
            cameras().removeCamera(id);
        }
    }

    @Test
    public void framesOfTheBackCameraHavePythonsBoxesInEveryRotation() throws Exception {
        plugIn("0", BACK, 90);
        try (App app = startWithCamera()) {
            for (String name : new String[] {"landscape", "turned-90", "turned-180", "turned-270"}) {
                Golden golden = Golden.named("letterbox-nms-none/" + name);
                turnScreen(app, (90 - golden.rotation() + 360) % 360);
                see(app, golden);
            }
        }
    }

    @Test
    public void framesOfTheFrontCameraHavePythonsBoxesInEveryRotation() throws Exception {
        plugIn("0", BACK, 90);
        plugIn("1", FRONT, 270);
        try (App app = startWithCamera()) {
            app.click(R.id.switch_camera);
            for (String name : new String[] {"landscape", "turned-90", "turned-180", "turned-270"}) {
                Golden golden = Golden.named("letterbox-nms-none/" + name);
                turnScreen(app, (golden.rotation() - 270 + 360) % 360);
                see(app, golden);
            }
        }
    }

    @Test
    public void boxesAreDrawnWhereThingsAreAndMirroredForTheFrontCamera() throws Exception {
        plugIn("0", BACK, 90);
        plugIn("1", FRONT, 270);
        try (App app = startWithCamera()) {
            app.chooseModel("digits.tflite");
            see(app, Golden.named("digits/turned-90"));
            Bitmap screen = app.screenshot("camera");
            Boxes.assertDrawn(app, screen, false);
            app.click(R.id.switch_camera);
            see(app, Golden.named("digits/turned-270"));
            screen = app.screenshot("camera-front");
            Boxes.assertDrawn(app, screen, true);
        }
    }

    @Test
    public void theStarterFindsARealPersonInFrames() throws Exception {
        plugIn("0", BACK, 90);
        App.allowCamera();
        try (App app = App.start()) {
            app.chooseModel("starter.tflite");
            App.until("the camera runs", () -> Threads.run("camera"));
            see(app, Golden.named("starter/turned-90"));
            Boxes.assertDrawn(app, app.screenshot("camera-starter"), false);
            App.until("it is said what is seen", () -> app.description() != null);
            assertTrue(app.description(), app.description().contains(" × person"));
        }
    }

    @Test
    public void timesAndWordsComeWithTheFrames() throws Exception {
        plugIn("0", BACK, 90);
        try (App app = startWithCamera()) {
            app.chooseModel("digits.tflite");
            Golden golden = Golden.named("digits/turned-90");
            see(app, golden);
            assertEquals(View.ACCESSIBILITY_LIVE_REGION_POLITE,
                    app.overlay().getAccessibilityLiveRegion());
            App.until("it is said what is seen", () -> app.description() != null);
            assertTrue(app.description(), app.description().contains("1 × "));
            App.until("frames are counted", () -> {
                Frame frame = new Frame(golden);
                ReaderShadow.send(frame);
                return app.text(R.id.times).contains("frames/s");
            });
        }
    }

    @Test
    public void aCameraThatAnotherAppTookComesBackByItself() throws Exception {
        plugIn("0", BACK, 90);
        try (App app = startWithCamera()) {
            see(app, Golden.named("letterbox-nms-none/turned-90"));
            cameras().triggerDisconnect();
            App.until("the loss is told", () -> app.notice() != null);
            assertTrue(app.notice(), app.notice().startsWith("The camera is used by another app"));
            assertNull("boxes of what is not seen any more", app.overlay().found());
            cameras().removeCamera("0");
            plugIn("0", BACK, 90); // the other app gives it back
            App.until("it is back", () -> app.notice() == null);
            see(app, Golden.named("letterbox-nms-none/turned-90"));
        }
    }

    @Test
    public void aCameraThatIsPluggedInLaterIsUsed() throws Exception {
        App.allowCamera();
        try (App app = App.start()) {
            assertTrue(app.notice(), app.notice().startsWith("This device has no camera"));
            plugIn("7", BACK, 90);
            App.until("it is used", () -> app.notice() == null);
            app.chooseModel("letterbox-nms-none.tflite");
            see(app, Golden.named("letterbox-nms-none/turned-90"));
        }
    }

    @Test
    public void framesThatComeLateAreNotDrawnOnAPicture() throws Exception {
        plugIn("0", BACK, 90);
        try (App app = startWithCamera()) {
            see(app, Golden.named("letterbox-nms-none/turned-90"));
            CountDownLatch release = new CountDownLatch(1);
            App.application().hold.set(release);
            ReaderShadow.send(new Frame(Golden.named("letterbox-nms-none/turned-90")));
            App.until("the network runs", () -> App.application().hold.get() == null);
            Golden golden = Golden.named("letterbox-nms-none/picture-landscape");
            app.pick(Provider.of(golden.png()));
            app.untilLookedAt();
            release.countDown(); // the frame is done now
            App.until("the old network is closed", () -> App.application().open.get() == 1);
            App.settle();
            golden.compare(app.overlay().found());
            app.click(R.id.pick);
            assertNull(app.overlay().found());
            see(app, Golden.named("letterbox-nms-none/turned-90"));
        }
    }

    @Test
    public void pausesGiveTheCameraAndTheThreadsBack() throws Exception {
        plugIn("0", BACK, 90);
        try (App app = startWithCamera()) {
            for (int i = 0; i < 25; i++) {
                app.controller().pause();
                assertFalse(Threads.run("camera"));
                app.controller().resume();
            }
            app.untilLoaded();
            see(app, Golden.named("letterbox-nms-none/turned-90"));
            App.until("networks of before are closed",
                    () -> App.application().open.get() == 1 && Threads.count("network") == 1);
            assertEquals(1, Threads.count("camera"));
        }
        App.until("all threads end",
                () -> !Threads.run("network") && !Threads.run("camera"));
    }

    // === Help ===

    private static App startWithCamera() throws Exception {
        App.allowCamera();
        App app = App.start();
        app.chooseModel("letterbox-nms-none.tflite");
        App.until("the camera runs", () -> Threads.run("camera"));
        assertNull(app.notice());
        return app;
    }

    /** Shows a frame, and compares what is found in it with Python. */
    static void see(App app, Golden golden) throws Exception {
        app.overlay().clear();
        App.settle(); // frames of before
        App.until("a frame of " + golden.json.getString("name") + " is looked at", () -> {
            ReaderShadow.send(new Frame(golden));
            Thread.sleep(20);
            Detections found = app.overlay().found();
            return found != null && found.pictureWidth() == golden.json.getInt("width")
                    && found.pictureHeight() == golden.json.getInt("height");
        });
        App.settle();
        golden.compare(app.overlay().found());
    }

    private static void turnScreen(App app, int degrees) throws Exception {
        shadowOf(app.activity().getWindowManager().getDefaultDisplay()).setRotation(degrees / 90);
        app.activity().camera.onDisplayChanged(0);
    }

    private static ShadowCameraManager cameras() {
        return shadowOf(manager());
    }

    private static CameraManager manager() {
        return (CameraManager) RuntimeEnvironment.getApplication()
                .getSystemService(Context.CAMERA_SERVICE);
    }

    static void plugIn(String id, int facing, int orientation) {
        CameraCharacteristics camera = ShadowCameraCharacteristics.newCameraCharacteristics();
        Size size = new Size(1280, 960);
        ShadowCameraCharacteristics shadow = Shadow.extract(camera);
        shadow.set(CameraCharacteristics.SCALER_STREAM_CONFIGURATION_MAP,
                StreamConfigurationMapBuilder.newBuilder()
                        .addOutputSize(size)
                        .addOutputSize(ImageFormat.YUV_420_888, size)
                        .build());
        shadow.set(CameraCharacteristics.SENSOR_ORIENTATION, orientation);
        shadow.set(CameraCharacteristics.LENS_FACING, facing);
        cameras().addCamera(id, camera);
    }
}

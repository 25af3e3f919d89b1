package yolov2tf.demo;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNotSame;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;
import static org.robolectric.Shadows.shadowOf;

import android.graphics.Bitmap;
import android.os.Looper;
import android.view.View;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.File;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import java.util.zip.CRC32;
import java.util.zip.DeflaterOutputStream;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.RuntimeEnvironment;
import yolov2tf.core.Detections;

/** Picked pictures: of every orientation, from every kind of provider. */
@RunWith(AppRunner.class)
public class PictureTest {
    private static final String FAILED = "The picture cannot be opened: ";

    @Test
    public void aPictureHasPythonsBoxesItsTimesAndItsWords() throws Exception {
        try (App app = App.start()) {
            app.chooseModel("digits.tflite");
            Golden golden = Golden.named("digits/picture-landscape");
            Provider provider = Provider.of(golden.png());
            app.pick(provider);
            app.untilLookedAt();
            assertTrue(golden.count() > 0);
            golden.compare(app.overlay().found());
            Boxes.assertDrawn(app, app.screenshot("picture"), false);
            assertNull(app.notice());
            assertTrue(app.text(R.id.times), app.text(R.id.times)
                    .matches("CPU × 4 · image \\d+[.,]\\d ms · network \\d+[.,]\\d ms"));
            assertTrue(app.description(), app.description().matches("\\d \\d+ %(, \\d \\d+ %)*"));
            assertEquals(View.ACCESSIBILITY_LIVE_REGION_POLITE,
                    app.overlay().getAccessibilityLiveRegion());
            assertEquals("opened once", 1, provider.openings.get());
            assertNotSame("by another thread", Looper.getMainLooper().getThread(),
                    provider.thread);
        }
    }

    @Test
    public void theStarterFindsARealPersonAsPythonDoes() throws Exception {
        Golden golden = Golden.named("starter/picture-landscape");
        try (App app = App.start()) {
            app.chooseModel(golden.model());
            app.pick(Provider.of(golden.png()));
            app.untilLookedAt();
            golden.compare(app.overlay().found());
            Boxes.assertDrawn(app, app.screenshot("picture-starter"), false);
            assertTrue(app.description(), app.description().startsWith("person "));
        }
    }

    @Test
    public void everyOrientationIsTurnedUpright() throws Exception {
        Golden golden = Golden.named("digits/picture-landscape");
        Bitmap upright = golden.bitmap();
        // How the pixels lie in the file: degrees to turn, after mirroring.
        int[] degrees = {0, 0, 180, 180, 270, 270, 90, 90};
        boolean[] mirrored = {false, true, false, true, true, false, true, false};
        try (App app = App.start()) {
            app.chooseModel("digits.tflite");
            Detections reference = null;
            for (int orientation = 1; orientation <= 8; orientation++) {
                Bitmap stored = Golden.turned(
                        upright, degrees[orientation - 1], mirrored[orientation - 1]);
                app.pick(Provider.of(withOrientation(
                        Golden.compressed(stored, Bitmap.CompressFormat.JPEG), orientation)));
                app.untilLookedAt();
                Detections found = app.overlay().found();
                assertEquals(upright.getWidth(), found.pictureWidth());
                reference = reference == null ? found : reference;
                assertSameObjects(reference, found);
                app.click(R.id.pick); // back to the camera
            }
        }
    }

    @Test
    public void whatIsNoPictureEndsInAMessage() throws Exception {
        byte[] png = Golden.named("digits/picture-landscape").png();
        try (App app = App.start()) {
            fails(app, Provider.of("Hello".getBytes("UTF-8")), "it is no picture");
            fails(app, Provider.of(new byte[0]), "it is no picture");
            fails(app, Provider.of(Arrays.copyOf(png, 40)), "it is ");
            app.screenshot("broken-picture");
            app.click(R.id.notice_button);
            assertFalse(String.valueOf(app.notice()).startsWith(FAILED));
            app.pick(Provider.of(png)); // it goes on
            app.untilLookedAt();
        }
    }

    @Test
    public void whateverAProviderThrowsEndsInAMessage() throws Exception {
        byte[] png = Golden.named("digits/picture-landscape").png();
        try (App app = App.start()) {
            fails(app, throwing(new SecurityException("no")), "does not hand it out");
            fails(app, throwing(new FileNotFoundException("/x")), "not there any more");
            fails(app, throwing(new IllegalStateException("provider died")), "provider died");
            fails(app, throwing(new UnsupportedOperationException("virtual")), "virtual");
            fails(app, throwing(new NullPointerException()), "NullPointerException");
            fails(app, throwing(new IOException("no network")), "no network");
            fails(app, Provider.breaking(png, 1000, new IOException("cut off")), "cut off");
            fails(app, Provider.breaking(png, 1000, new SecurityException()), "hand it out");
            fails(app, Provider.breaking(png, 1000, new OutOfMemoryError()), "too large");
        }
    }

    @Test
    public void aSlowProviderLeavesTheScreenFree() throws Exception {
        Golden golden = Golden.named("digits/picture-landscape");
        CountDownLatch told = new CountDownLatch(1);
        Provider provider = Provider.waiting(golden.png(), told);
        try (App app = App.start()) {
            app.chooseModel("digits.tflite");
            app.pick(provider);
            assertEquals("Opening the picture…", app.notice());
            assertEquals("Cancel", app.button());
            app.screenshot("opening");
            app.slide(40); // the screen works
            assertEquals("Scores above 40 %", app.text(R.id.threshold_text));
            told.countDown();
            app.untilLookedAt();
            golden.compare(app.overlay().found());
            assertEquals(1, provider.openings.get());
        }
    }

    @Test
    public void openingCanBeCancelled() throws Exception {
        CountDownLatch told = new CountDownLatch(1);
        try (App app = App.start()) {
            app.pick(Provider.waiting(Golden.named("digits/picture-landscape").png(), told));
            app.click(R.id.notice_button);
            assertFalse("Opening the picture…".equals(app.notice()));
            told.countDown();
            App.until("the thread ends", () -> !Threads.run("picture"));
            App.settle();
            assertEquals("Picture…", app.text(R.id.pick)); // it is not shown
            assertEquals(0, kept());
            app.pick(Provider.waiting(new byte[1], new CountDownLatch(1)));
            app.activity().onBackPressed(); // cancels, too
            assertFalse(app.activity().isFinishing());
            assertFalse("Opening the picture…".equals(app.notice()));
        }
    }

    /** As of the Must show: how long the screen stands still. Told, not tested: machines differ. */
    @Test
    public void twelveMegapixelsFromACloud() throws Exception {
        byte[] jpeg = Golden.compressed(Bitmap.createScaledBitmap(
                Golden.named("digits/picture-landscape").bitmap(), 4000, 3000, true),
                Bitmap.CompressFormat.JPEG);
        Provider provider = Provider.slow(jpeg, 2000);
        try (App app = App.start()) {
            app.pick(provider); // Robolectric's own resuming counts here, so it is not measured
            long longest = 0;
            boolean there = false;
            for (int i = 0; i < 4000 && !there; i++) {
                long start = System.nanoTime();
                shadowOf(Looper.getMainLooper()).idle();
                longest = Math.max(longest, System.nanoTime() - start);
                there = app.text(R.id.times).contains("network");
                Thread.sleep(2);
            }
            System.out.printf("12 MP after 2 s: the screen stood still for %.1f ms at most%n",
                    longest / 1e6);
            assertTrue(there);
            assertEquals(2000, app.overlay().found().pictureWidth());
            assertEquals(1, provider.openings.get());
            assertNotSame(Looper.getMainLooper().getThread(), provider.thread);
        }
    }

    @Test
    public void hugePicturesAreMadeSmaller() throws Exception {
        try (App app = App.start()) {
            app.pick(Provider.of(whitePng(20_000, 10_000))); // 800 MB as a bitmap
            app.untilLookedAt();
            assertEquals(1250, app.overlay().found().pictureWidth());
            assertEquals(625, app.overlay().found().pictureHeight());
        }
    }

    @Test
    public void aPictureSurvivesTheActivity() throws Exception {
        Golden golden = Golden.named("digits/picture-landscape");
        Provider provider = Provider.of(golden.png());
        try (App app = App.start()) {
            app.chooseModel("digits.tflite");
            app.pick(provider);
            app.untilLookedAt();
            app.recreate();
            app.untilLookedAt();
            golden.compare(app.overlay().found());
            assertEquals("Camera", app.text(R.id.pick));
            assertEquals(1, provider.openings.get());
            app.recreate();
            app.untilLookedAt();
            assertEquals(1, kept());
        }
        assertEquals(1, kept()); // the activity was not finished: it may come back
    }

    @Test
    public void whatIsBeingOpenedIsOpenedByTheNextActivity() throws Exception {
        Golden golden = Golden.named("digits/picture-landscape");
        CountDownLatch told = new CountDownLatch(1);
        try (App app = App.start()) {
            app.chooseModel("digits.tflite");
            app.pick(Provider.waiting(golden.png(), told));
            app.recreate();
            assertEquals("Opening the picture…", app.notice());
            told.countDown();
            app.untilLookedAt();
            golden.compare(app.overlay().found());
        }
    }

    @Test
    public void backGoesFromThePictureToTheCameraAndThenOut() throws Exception {
        try (App app = App.start()) {
            app.pick(Provider.of(Golden.named("digits/picture-landscape").png()));
            app.untilLookedAt();
            app.activity().onBackPressed();
            assertFalse(app.activity().isFinishing());
            assertEquals("Picture…", app.text(R.id.pick));
            assertNull(app.description());
            assertEquals(0, kept());
            app.activity().onBackPressed();
            assertTrue(app.activity().isFinishing());
        }
    }

    @Test
    public void anEmptiedCacheEndsAtTheCamera() throws Exception {
        try (App app = App.start()) {
            app.pick(Provider.of(Golden.named("digits/picture-landscape").png()));
            app.untilLookedAt();
            for (File file : RuntimeEnvironment.getApplication().getCacheDir().listFiles()) {
                assertTrue(file.delete());
            }
            app.recreate();
            App.settle();
            assertEquals("Picture…", app.text(R.id.pick));
        }
    }

    // === Help ===

    private static void fails(App app, Provider provider, String why) throws Exception {
        app.pick(provider);
        App.until("it failed: " + why, () -> {
            String notice = app.notice();
            return notice != null && notice.startsWith(FAILED) && notice.contains(why);
        });
        assertEquals("OK", app.button());
        assertEquals("Picture…", app.text(R.id.pick));
        assertEquals(0, kept());
        assertEquals(1, provider.openings.get());
        assertEquals(View.ACCESSIBILITY_LIVE_REGION_POLITE,
                app.view(R.id.notice_text).getAccessibilityLiveRegion());
    }

    private static Provider throwing(Exception error) {
        return Provider.of(() -> {
            throw error;
        });
    }

    /** Files in the app's cache. */
    private static int kept() {
        return RuntimeEnvironment.getApplication().getCacheDir().listFiles().length;
    }

    private static void assertSameObjects(Detections expected, Detections found) {
        int count = expected.countAbove(0.5f);
        assertTrue(count > 0);
        for (int i = 0; i < count; i++) {
            boolean there = false;
            for (int j = 0; j < found.count(); j++) {
                there |= found.label(j) == expected.label(i)
                        && Math.abs(found.top(j) - expected.top(i)) < 0.03
                        && Math.abs(found.left(j) - expected.left(i)) < 0.03
                        && Math.abs(found.bottom(j) - expected.bottom(i)) < 0.03
                        && Math.abs(found.right(j) - expected.right(i)) < 0.03;
            }
            assertTrue("object " + i, there);
        }
    }

    /** Puts EXIF with an orientation into a JPEG file. */
    private static byte[] withOrientation(byte[] jpeg, int orientation) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.write(jpeg, 0, 2);
        out.writeShort(0xFFE1);
        out.writeShort(2 + 6 + 8 + 2 + 12 + 4);
        out.write("Exif\0\0MM".getBytes("US-ASCII"));
        out.writeShort(42);
        out.writeInt(8); // the first directory
        out.writeShort(1); // has one entry
        out.writeShort(0x0112); // the orientation,
        out.writeShort(3); // a short,
        out.writeInt(1); // one of it
        out.writeShort(orientation);
        out.writeShort(0);
        out.writeInt(0);
        out.write(jpeg, 2, jpeg.length - 2);
        return bytes.toByteArray();
    }

    /** A white PNG file of one bit a pixel, which is small however large the picture is. */
    private static byte[] whitePng(int width, int height) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.writeLong(0x89504E470D0A1A0AL);
        ByteArrayOutputStream header = new ByteArrayOutputStream();
        DataOutputStream fields = new DataOutputStream(header);
        fields.writeInt(width);
        fields.writeInt(height);
        fields.write(new byte[] {1, 0, 0, 0, 0});
        chunk(out, "IHDR", header.toByteArray());
        ByteArrayOutputStream pixels = new ByteArrayOutputStream();
        try (DeflaterOutputStream deflater = new DeflaterOutputStream(pixels)) {
            byte[] row = new byte[1 + (width + 7) / 8];
            Arrays.fill(row, 1, row.length, (byte) 0xFF);
            for (int y = 0; y < height; y++) {
                deflater.write(row);
            }
        }
        chunk(out, "IDAT", pixels.toByteArray());
        chunk(out, "IEND", new byte[0]);
        return bytes.toByteArray();
    }

    private static void chunk(DataOutputStream out, String type, byte[] data) throws IOException {
        CRC32 check = new CRC32();
        check.update(type.getBytes("US-ASCII"));
        check.update(data);
        out.writeInt(data.length);
        out.write(type.getBytes("US-ASCII"));
        out.write(data);
        out.writeInt((int) check.getValue());
    }
}

package yolov2tf.demo;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;
import static org.robolectric.Shadows.shadowOf;

import android.app.Activity;
import android.app.AlertDialog;
import android.content.ContentResolver;
import android.content.DialogInterface;
import android.content.Intent;
import android.database.Cursor;
import android.graphics.Bitmap;
import android.graphics.BitmapFactory;
import android.net.Uri;
import android.os.Looper;
import android.provider.OpenableColumns;
import android.widget.TextView;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.FileNotFoundException;
import java.io.InputStream;
import java.nio.file.Files;
import java.util.List;
import org.json.JSONArray;
import org.json.JSONObject;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.Robolectric;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.android.controller.ActivityController;
import org.robolectric.shadows.ShadowAlertDialog;
import org.robolectric.shadows.ShadowToast;
import yolov2tf.core.DetectionPainter;
import yolov2tf.core.Detections;

/** What "More…" lists: classes, saving, the benchmark. */
@RunWith(AppRunner.class)
public class MoreTest {
    private static final Uri TARGET = Uri.parse("content://documents/1");

    @Test
    public void onlyTheChosenClassesAreShown() throws Exception {
        try (App app = withPicture()) {
            Detections found = app.overlay().found();
            int label = found.label(0);
            String name = app.overlay().names().get(label);
            int of = 0;
            for (int i = 0; i < found.countAbove(0.25f); i++) {
                of += found.label(i) == label ? 1 : 0;
            }
            String everything = app.description();
            assertTrue("the picture has others", of < everything.split(",").length);

            chooseClass(app, label);
            assertEquals(of, app.description().split(",").length);
            assertTrue(app.description(), app.description().startsWith(name + " "));
            app.screenshot("one-class");
            assertEquals("all is kept", found.count(), app.overlay().found().count());

            app.recreate(); // it stays
            app.untilLookedAt();
            assertEquals(of, app.description().split(",").length);

            app.chooseMore(R.string.classes);
            ShadowAlertDialog.getLatestAlertDialog().getButton(DialogInterface.BUTTON_NEUTRAL)
                    .performClick();
            shadowOf(Looper.getMainLooper()).idle();
            assertEquals(everything, app.description());
        }
    }

    @Test
    public void aModelThatKnowsNoneOfTheClassesShowsAll() throws Exception {
        ClassFilter filter = new ClassFilter();
        android.os.Bundle state = new android.os.Bundle();
        state.putStringArrayList("classes.only",
                new java.util.ArrayList<>(java.util.Arrays.asList("cat")));
        filter.restore(state);
        assertArrayEquals(new boolean[] {false, true},
                filter.wanted(java.util.Arrays.asList("dog", "cat")));
        assertNull(filter.wanted(java.util.Arrays.asList("7", "8")));
    }

    @Test
    public void jsonIsSavedAsItIsShown() throws Exception {
        try (App app = withPicture()) {
            app.slide(40);
            Detections found = app.overlay().found();
            int count = found.countAbove(0.4f);
            assertTrue(count > 0);
            String json = new String(save(app, R.string.save_json, "application/json"), "UTF-8");
            JSONObject entry = new JSONArray(json).getJSONObject(0);
            assertEquals("detections.png", entry.getString("image"));
            JSONArray all = entry.getJSONArray("detections");
            assertEquals(count, all.length());
            List<String> names = app.overlay().names();
            for (int i = 0; i < count; i++) {
                JSONObject one = all.getJSONObject(i);
                assertEquals(names.get(found.label(i)), one.getString("label"));
                assertEquals(found.score(i), one.getDouble("score"), 1e-5);
                assertEquals(found.top(i), one.getJSONArray("box").getDouble(0), 1e-5);
                assertEquals(found.right(i), one.getJSONArray("box").getDouble(3), 1e-5);
            }
        }
    }

    @Test
    public void thePictureIsSavedWithItsBoxes() throws Exception {
        try (App app = withPicture()) {
            byte[] png = save(app, R.string.save_picture, "image/png");
            Bitmap drawn = BitmapFactory.decodeByteArray(png, 0, png.length);
            Detections found = app.overlay().found();
            assertEquals(found.pictureWidth(), drawn.getWidth());
            assertEquals(found.pictureHeight(), drawn.getHeight());
            int color = DetectionPainter.color(found.label(0));
            int hits = 0;
            int x = Math.round(found.left(0) * drawn.getWidth());
            for (int i = 1; i < 20; i++) { // down the best box's left side
                float y = found.top(0) + i / 20f * (found.bottom(0) - found.top(0));
                hits += drawn.getPixel(Math.min(x, drawn.getWidth() - 1),
                        (int) (y * drawn.getHeight())) == color ? 1 : 0;
            }
            assertTrue(hits + " of 19 points have its colour", hits > 14);
        }
    }

    @Test
    public void anotherAppReadsWhatIsSharedWithItAndNothingElse() throws Exception {
        try (App app = withPicture()) {
            byte[] png = save(app, R.string.save_picture, "image/png");
            ShadowToast.reset();
            byte[] json = save(app, R.string.save_json, "application/json");
            Uri picture = share(app, R.string.share_picture, "image/png");
            Uri detections = share(app, R.string.share_json, "application/json");
            assertArrayEquals("as it is saved", png, read(picture));
            assertArrayEquals("as it is saved", json, read(detections));

            ContentResolver others = app.activity().getContentResolver();
            assertEquals("image/png", others.getType(picture));
            try (Cursor cursor = others.query(detections, null, null, null, null)) {
                assertTrue(cursor.moveToFirst());
                assertEquals("detections.json", cursor.getString(
                        cursor.getColumnIndexOrThrow(OpenableColumns.DISPLAY_NAME)));
                assertEquals(json.length, cursor.getLong(
                        cursor.getColumnIndexOrThrow(OpenableColumns.SIZE)));
            }
            String root = "content://" + picture.getAuthority();
            Files.write(new File(app.activity().getCacheDir(), "detections.png").toPath(),
                    new byte[1]);
            for (String other : new String[] {"/..%2F..%2Fsecret", "/../detections.png",
                "/%2E%2E/detections.png", "/1/detections.png", "/detections.png"}) {
                assertThrows(other, FileNotFoundException.class,
                        () -> others.openFileDescriptor(Uri.parse(root + other), "r"));
            }
            assertThrows(SecurityException.class,
                    () -> others.openFileDescriptor(picture, "w"));
        }
    }

    @Test
    public void theCamerasNextFrameIsShared() throws Exception {
        CameraTest.plugIn("0", CameraTest.BACK, 90);
        App.allowCamera();
        try (App app = App.start()) {
            app.chooseModel("digits.tflite");
            Golden golden = Golden.named("digits/turned-90");
            App.until("the camera runs", () -> Threads.run("camera"));
            CameraTest.see(app, golden);
            app.chooseMore(R.string.share_json);
            Intent[] sent = new Intent[1];
            App.until("it is shared", () -> {
                ReaderShadow.send(new Frame(golden));
                return (sent[0] = sent(app)) != null;
            });
            JSONObject entry = new JSONArray(new String(read(
                    sent[0].getParcelableExtra(Intent.EXTRA_STREAM, Uri.class)), "UTF-8"))
                    .getJSONObject(0);
            assertEquals(app.overlay().found().countAbove(0.25f),
                    entry.getJSONArray("detections").length());
        }
    }

    @Test
    public void whatWasSharedLongAgoIsDeleted() throws Exception {
        try (App app = withPicture()) {
            Uri first = share(app, R.string.share_picture, "image/png");
            File folder = new File(app.activity().getCacheDir(),
                    "shared/" + first.getPathSegments().get(0));
            share(app, R.string.share_json, "application/json");
            assertTrue("the other app may still read it", folder.exists());
            assertTrue(folder.setLastModified(System.currentTimeMillis() - 90_000_000L));
            share(app, R.string.share_json, "application/json");
            assertFalse(folder.exists());
        }
    }

    @Test
    public void sharingThatFailsSaysSo() throws Exception {
        try (App app = withPicture()) {
            File shared = new File(app.activity().getCacheDir(), "shared");
            Files.write(shared.toPath(), new byte[1]); // no folder can be made there
            app.chooseMore(R.string.share_picture);
            App.until("it says so", () -> "It was not shared: there is no room for it"
                    .equals(ShadowToast.getTextOfLatestToast()));
            assertTrue(shared.delete());
        }
    }

    @Test
    public void savingThatFailsOrHasNothingSaysSo() throws Exception {
        try (App app = App.start()) {
            app.chooseMore(R.string.save_json);
            assertEquals("There is nothing to save yet.", ShadowToast.getTextOfLatestToast());
            app.pick(Provider.of(Golden.named("digits/picture-landscape").png()));
            app.untilLookedAt();
            shadowOf(RuntimeEnvironment.getApplication().getContentResolver())
                    .registerOutputStreamSupplier(TARGET, () -> {
                        throw new SecurityException("the card is full");
                    });
            answer(app, R.string.save_json, TARGET);
            App.until("it says so", () -> "It was not saved: the card is full"
                    .equals(ShadowToast.getTextOfLatestToast()));
            ShadowToast.reset();
            answer(app, R.string.save_picture, null); // the question was closed
            App.settle();
            assertNull(ShadowToast.getTextOfLatestToast());
        }
    }

    @Test
    public void theBenchmarkTimesAllThatCanRunTheModel() throws Exception {
        try (App app = App.start()) {
            app.chooseModel("starter.tflite");
            app.chooseMore(R.string.benchmark);
            Intent intent = shadowOf(app.activity()).getNextStartedActivity();
            while (!BenchmarkActivity.class.getName().equals(
                    intent.getComponent() == null ? "" : intent.getComponent().getClassName())) {
                intent = shadowOf(app.activity()).getNextStartedActivity();
            }
            app.controller().pause();
            ActivityController<BenchmarkActivity> screen =
                    Robolectric.buildActivity(BenchmarkActivity.class, intent).setup();
            Activity benchmark = screen.get();
            TextView state = benchmark.findViewById(R.id.benchmark_state);
            App.until("it is measured", () -> benchmark.findViewById(R.id.benchmark_share)
                    .isEnabled());
            assertEquals("The times are of the network alone.", state.getText().toString());
            String report = benchmark.<TextView>findViewById(R.id.benchmark_report).getText()
                    .toString();
            String[] lines = report.split("\n");
            assertEquals(report, 2 + Accelerator.values().length, lines.length);
            assertTrue(report, lines[0].contains("320 px, int8"));
            assertEquals("GPU: no such delegate", lines[2]);
            for (int i = 3; i < lines.length; i++) {
                assertTrue(report, lines[i].matches(
                        "CPU, \\d threads?: median \\d+\\.\\d, p95 \\d+\\.\\d ms"));
            }
            App.screenshot(benchmark, "benchmark");

            benchmark.findViewById(R.id.benchmark_share).performClick();
            Intent shared = shadowOf(benchmark).getNextStartedActivity()
                    .getParcelableExtra(Intent.EXTRA_INTENT, Intent.class);
            assertEquals(report, shared.getStringExtra(Intent.EXTRA_TEXT));
            screen.pause().stop().destroy();
            App.until("it is closed", () -> App.application().open.get() == 0);
            app.controller().resume();
            app.untilLoaded();
        }
    }

    // === Help ===

    private static App withPicture() throws Exception {
        App app = App.start();
        app.chooseModel("digits.tflite");
        app.pick(Provider.of(Golden.named("digits/picture-landscape").png()));
        app.untilLookedAt();
        return app;
    }

    private static void chooseClass(App app, int label) {
        app.chooseMore(R.string.classes);
        AlertDialog dialog = ShadowAlertDialog.getLatestAlertDialog();
        shadowOf(dialog).clickOnItem(label);
        dialog.getButton(DialogInterface.BUTTON_POSITIVE).performClick();
        shadowOf(Looper.getMainLooper()).idle();
    }

    /** Saves, as a person does, and returns what was written. */
    private static byte[] save(App app, int what, String type) throws Exception {
        ByteArrayOutputStream written = new ByteArrayOutputStream();
        shadowOf(RuntimeEnvironment.getApplication().getContentResolver())
                .registerOutputStreamSupplier(TARGET, () -> written);
        assertEquals(type, answer(app, what, TARGET).getType());
        App.until("it is saved", () -> "Saved".equals(ShadowToast.getTextOfLatestToast()));
        return written.toByteArray();
    }

    /** Shares, and returns the address that the other app gets. */
    private static Uri share(App app, int what, String type) throws Exception {
        app.chooseMore(what);
        Intent[] sent = new Intent[1];
        App.until("it is shared", () -> (sent[0] = sent(app)) != null);
        assertEquals(type, sent[0].getType());
        assertTrue("it may be read",
                (sent[0].getFlags() & Intent.FLAG_GRANT_READ_URI_PERMISSION) != 0);
        Uri uri = sent[0].getParcelableExtra(Intent.EXTRA_STREAM, Uri.class);
        assertEquals(uri, sent[0].getClipData().getItemAt(0).getUri());
        return uri;
    }

    /** What was given to a chooser to be sent; null if nothing was. */
    private static Intent sent(App app) {
        Intent started = shadowOf(app.activity()).getNextStartedActivity();
        while (started != null) {
            Intent inside = started.getParcelableExtra(Intent.EXTRA_INTENT, Intent.class);
            if (inside != null && Intent.ACTION_SEND.equals(inside.getAction())) {
                return inside;
            }
            started = shadowOf(app.activity()).getNextStartedActivity();
        }
        return null;
    }

    private static byte[] read(Uri uri) throws Exception {
        try (InputStream in = RuntimeEnvironment.getApplication().getContentResolver()
                .openInputStream(uri)) {
            return in.readAllBytes();
        }
    }

    private static Intent answer(App app, int what, Uri target) {
        app.chooseMore(what);
        Intent asked = shadowOf(app.activity()).getNextStartedActivityForResult().intent;
        while (!Intent.ACTION_CREATE_DOCUMENT.equals(asked.getAction())) {
            asked = shadowOf(app.activity()).getNextStartedActivityForResult().intent;
        }
        app.controller().pause();
        shadowOf(app.activity()).receiveResult(asked,
                target == null ? Activity.RESULT_CANCELED : Activity.RESULT_OK,
                target == null ? null : new Intent().setData(target));
        app.controller().resume();
        return asked;
    }
}

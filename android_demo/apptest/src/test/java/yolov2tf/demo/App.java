package yolov2tf.demo;

import static org.junit.Assert.assertTrue;
import static org.robolectric.Shadows.shadowOf;

import android.Manifest;
import android.app.Activity;
import android.app.AlertDialog;
import android.content.Intent;
import android.content.res.Configuration;
import android.graphics.Bitmap;
import android.graphics.Canvas;
import android.os.Bundle;
import android.os.Looper;
import android.view.View;
import android.widget.SeekBar;
import android.widget.Spinner;
import android.widget.TextView;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Arrays;
import org.robolectric.Robolectric;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.android.controller.ActivityController;
import org.robolectric.shadows.ShadowActivity;
import org.robolectric.shadows.ShadowAlertDialog;

/** The started app, and what a person does with it. */
final class App implements AutoCloseable {
    private static final long PATIENCE_MILLIS = 20_000;
    private static final Path SCREENSHOTS = Paths.get(System.getProperty("screenshots"));

    private ActivityController<MainActivity> controller;

    private App(ActivityController<MainActivity> controller) {
        this.controller = controller;
    }

    /** Starts it, and waits until the network is there. */
    static App start() throws Exception {
        App app = new App(Robolectric.buildActivity(MainActivity.class).setup());
        app.untilLoaded();
        return app;
    }

    /** Allows the camera, as after it was asked for. */
    static void allowCamera() {
        shadowOf(RuntimeEnvironment.getApplication())
                .grantPermissions(Manifest.permission.CAMERA);
    }

    static TestApplication application() {
        return (TestApplication) RuntimeEnvironment.getApplication();
    }

    MainActivity activity() {
        return controller.get();
    }

    ActivityController<MainActivity> controller() {
        return controller;
    }

    @Override
    public void close() throws Exception {
        controller.pause().stop().destroy();
        until("the network is closed", () -> application().open.get() == 0);
    }

    // === Waiting ===

    /** Something that becomes true. */
    interface Condition {
        boolean holds() throws Exception;
    }

    static void until(String what, Condition condition) throws Exception {
        for (long waited = 0; waited < PATIENCE_MILLIS; waited += 5) {
            shadowOf(Looper.getMainLooper()).idle();
            if (condition.holds()) {
                return;
            }
            Thread.sleep(5);
        }
        throw new AssertionError("in vain waited until " + what);
    }

    void untilLoaded() throws Exception {
        until("the network is loaded", () -> text(R.id.times).startsWith("CPU")
                || text(R.id.times).startsWith("GPU"));
    }

    void untilLookedAt() throws Exception {
        try {
            until("the picture is looked at", () -> text(R.id.times).contains("network")
                    && overlay().getContentDescription() != null);
        } catch (AssertionError error) {
            throw new AssertionError("times: " + text(R.id.times) + ", words: " + description()
                    + ", notice: " + notice(), error);
        }
    }

    /** Lets everything that is under way end. */
    static void settle() throws Exception {
        for (int i = 0; i < 20; i++) {
            shadowOf(Looper.getMainLooper()).idle();
            Thread.sleep(5);
        }
    }

    // === Looking ===

    <V extends View> V view(int id) {
        return activity().findViewById(id);
    }

    OverlayView overlay() {
        return view(R.id.overlay);
    }

    String text(int id) {
        return String.valueOf(this.<TextView>view(id).getText());
    }

    /** What the notice says; null while it says nothing. */
    String notice() {
        return view(R.id.notice).getVisibility() == View.VISIBLE ? text(R.id.notice_text) : null;
    }

    /** Title of the notice's button; null without one. */
    String button() {
        boolean there = notice() != null
                && view(R.id.notice_button).getVisibility() == View.VISIBLE;
        return there ? text(R.id.notice_button) : null;
    }

    String description() {
        CharSequence words = overlay().getContentDescription();
        return words == null ? null : words.toString();
    }

    /** Measures and lays out anew, as Android does before it draws. */
    void layOut() {
        View all = activity().getWindow().getDecorView();
        all.measure(View.MeasureSpec.makeMeasureSpec(all.getWidth(), View.MeasureSpec.EXACTLY),
                View.MeasureSpec.makeMeasureSpec(all.getHeight(), View.MeasureSpec.EXACTLY));
        all.layout(0, 0, all.getWidth(), all.getHeight());
    }

    /** Keeps what is on the screen, for people to look at. */
    Bitmap screenshot(String name) throws IOException {
        layOut();
        return screenshot(activity(), name);
    }

    /** The same of any activity. */
    static Bitmap screenshot(Activity activity, String name) throws IOException {
        View all = activity.getWindow().getDecorView();
        Bitmap bitmap = Bitmap.createBitmap(
                all.getWidth(), all.getHeight(), Bitmap.Config.ARGB_8888);
        all.draw(new Canvas(bitmap));
        Files.createDirectories(SCREENSHOTS);
        try (OutputStream out = Files.newOutputStream(SCREENSHOTS.resolve(name + ".png"))) {
            assertTrue(bitmap.compress(Bitmap.CompressFormat.PNG, 100, out));
        }
        return bitmap;
    }

    // === Doing ===

    void click(int id) {
        assertTrue("it is not on the screen", view(id).getVisibility() == View.VISIBLE);
        view(id).performClick();
        shadowOf(Looper.getMainLooper()).idle();
    }

    void chooseModel(String name) throws Exception {
        Spinner models = view(R.id.models);
        for (int i = 0; i < models.getCount(); i++) {
            if (models.getItemAtPosition(i).equals(name)) {
                choose(models, i);
            }
        }
        untilLoaded();
    }

    void choose(Accelerator accelerator) {
        choose(this.<Spinner>view(R.id.accelerators), accelerator.ordinal());
    }

    private void choose(Spinner spinner, int position) {
        spinner.setSelection(position);
        layOut(); // spinners tell of it then
        shadowOf(Looper.getMainLooper()).idle();
    }

    void slide(int percent) {
        this.<SeekBar>view(R.id.threshold).setProgress(percent);
    }

    /** Chooses what "More…" lists, by its title. */
    void chooseMore(int title) {
        click(R.id.more);
        AlertDialog menu = ShadowAlertDialog.getLatestAlertDialog();
        for (int i = 0; i < menu.getListView().getCount(); i++) {
            if (menu.getListView().getItemAtPosition(i).equals(activity().getString(title))) {
                shadowOf(menu).clickOnItem(i);
                shadowOf(Looper.getMainLooper()).idle();
                return;
            }
        }
        throw new AssertionError("not in the menu");
    }

    /** Picks a picture as on a phone: the app is paused while the picker is in front. */
    void pick(Provider provider) {
        click(R.id.pick);
        ShadowActivity shadow = shadowOf(activity());
        Intent chooser = shadow.getNextStartedActivityForResult().intent;
        controller.pause();
        shadow.receiveResult(chooser, Activity.RESULT_OK, new Intent().setData(provider.uri));
        controller.resume();
    }

    /** Ends the activity and starts it anew with what it saved, as Android does. */
    void recreate() throws Exception {
        Bundle state = new Bundle();
        controller.pause().stop().saveInstanceState(state).destroy();
        controller = Robolectric.buildActivity(MainActivity.class).setup(state);
        untilLoaded();
    }

    /** Changes the screen without a new activity, as for a turned phone. */
    void configure(String qualifiers) throws Exception {
        RuntimeEnvironment.setQualifiers(qualifiers);
        controller.configurationChange(new Configuration(
                RuntimeEnvironment.getApplication().getResources().getConfiguration()));
        settle();
    }

    /** Answers the question for the camera's permission, as Android does. */
    void answer(int... answers) {
        String[] asked = new String[answers.length];
        Arrays.fill(asked, Manifest.permission.CAMERA);
        controller.pause();
        activity().onRequestPermissionsResult(1, asked, answers);
        controller.resume();
        shadowOf(Looper.getMainLooper()).idle();
    }
}

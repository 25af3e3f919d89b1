package yolov2tf.demo;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNotSame;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;
import static org.robolectric.Shadows.shadowOf;

import android.Manifest;
import android.content.Intent;
import android.content.pm.PackageManager;
import android.provider.Settings;
import android.widget.Spinner;
import java.util.Arrays;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.annotation.Config;
import org.robolectric.annotation.GraphicsMode;

/** Starting, and the permission for the camera. */
@RunWith(AppRunner.class)
public class StartTest {
    private static final int YES = PackageManager.PERMISSION_GRANTED;
    private static final int NO = PackageManager.PERMISSION_DENIED;

    @Test
    public void asksForTheCameraOnceAndSaysNothingMeanwhile() throws Exception {
        try (App app = App.start()) {
            assertArrayEquals(new String[] {Manifest.permission.CAMERA},
                    shadowOf(app.activity()).getLastRequestedPermission().requestedPermissions);
            assertNull(app.notice());
            Spinner models = app.view(R.id.models);
            assertEquals("real objects first", Golden.first(), models.getSelectedItem());
            assertEquals(Golden.first(), models.getItemAtPosition(0));
            assertEquals("digits.tflite", models.getItemAtPosition(models.getCount() - 1));
            assertTrue(app.text(R.id.about), app.text(R.id.about).contains("int8"));
        }
    }

    @Test
    public void modelsMadeForPhonesComeFirstAndDigitsLast() {
        assertEquals(Arrays.asList("starter-tiny.tflite", "starter.tflite", "a.tflite", "z.tflite",
                "digits.tflite"), ModelAssets.ordered(Arrays.asList("a.tflite", "digits.tflite",
                "starter-tiny.tflite", "starter.tflite", "z.tflite")));
        assertEquals(Arrays.asList("starter.tflite", "mine.tflite"),
                ModelAssets.ordered(Arrays.asList("mine.tflite", "starter.tflite")));
        assertEquals(Arrays.asList("mine.tflite"),
                ModelAssets.ordered(Arrays.asList("mine.tflite")));
    }

    @Test
    public void withoutTheCameraItSaysSoAndAsksAgainWhileAndroidLetsIt() throws Exception {
        try (App app = App.start()) {
            mayAskAgain(true);
            app.answer(NO);
            assertTrue(app.notice(), app.notice().startsWith("Without the permission"));
            assertEquals("Allow camera", app.button());
            app.screenshot("denied");
            Object first = shadowOf(app.activity()).getLastRequestedPermission();
            app.click(R.id.notice_button);
            assertNotSame(first, shadowOf(app.activity()).getLastRequestedPermission());
            Intent opened = shadowOf(app.activity()).getNextStartedActivity();
            assertTrue(opened.getAction(), opened.getAction().endsWith("REQUEST_PERMISSIONS"));
        }
    }

    @Test
    public void whereAndroidAsksNoMoreTheSettingsAreOpened() throws Exception {
        try (App app = App.start()) {
            mayAskAgain(false);
            app.answer(NO);
            assertEquals("Open settings", app.button());
            shadowOf(app.activity()).getNextStartedActivity(); // the first question
            app.click(R.id.notice_button);
            Intent opened = shadowOf(app.activity()).getNextStartedActivity();
            assertEquals(Settings.ACTION_APPLICATION_DETAILS_SETTINGS, opened.getAction());
            assertEquals("package:yolov2tf.demo", opened.getDataString());
        }
    }

    @Test
    public void aQuestionClosedWithoutAnAnswerCanBeAskedAgain() throws Exception {
        try (App app = App.start()) {
            mayAskAgain(false); // Android says so of questions that were never answered
            app.answer();
            assertEquals("Allow camera", app.button());
        }
    }

    @Test
    public void allowedAtTheQuestionTheNoticeStaysAway() throws Exception {
        try (App app = App.start()) {
            App.allowCamera();
            app.answer(YES);
            assertEquals("This device has no camera that can be used. Pick a picture instead.",
                    app.notice());
        }
    }

    @Test
    public void allowedLaterInTheSettingsTheNoticeGoes() throws Exception {
        try (App app = App.start()) {
            mayAskAgain(false);
            app.answer(NO);
            app.controller().pause().stop();
            App.allowCamera();
            app.controller().start().resume();
            App.settle();
            assertFalse(app.notice(), app.notice().startsWith("Without the permission"));
        }
    }

    @Test
    @Config(sdk = 24, qualifiers = "w411dp-h731dp-port-xhdpi")
    @GraphicsMode(GraphicsMode.Mode.LEGACY)
    public void startsOnAndroid7() throws Exception {
        try (App app = App.start()) {
            assertTrue(app.text(R.id.about), app.text(R.id.about).contains("int8"));
            app.answer(NO);
            assertTrue(app.notice(), app.notice().startsWith("Without the permission"));
        }
    }

    private static void mayAskAgain(boolean may) {
        shadowOf(RuntimeEnvironment.getApplication().getPackageManager())
                .setShouldShowRequestPermissionRationale(Manifest.permission.CAMERA, may);
    }
}
